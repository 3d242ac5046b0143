/* Archives made in a test: parts by name, as a file without a name. */
#ifndef TESTS_UNIT_PACK_CASE_H
#define TESTS_UNIT_PACK_CASE_H

#include "core/core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zip.h>

struct part {
	const char *name, *text;
	size_t n; /* 0: that of the text */
};

/* A file of the N bytes at DATA, to be closed. */
static int make_file(const void *data, size_t n)
{
	int fd = memfd_create("case", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), (ssize_t)n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* An archive of the PARTS, the last of which has no name; to be closed. */
static int make_pack(const struct part *parts)
{
	zip_error_t problem;
	zip_source_t *whole = zip_source_buffer_create(NULL, 0, 0, &problem);
	zip_t *zip = zip_open_from_source(whole, ZIP_TRUNCATE, &problem);
	zip_stat_t st;
	char *data;
	int fd;

	assert_non_null(zip);
	zip_source_keep(whole);
	for (const struct part *p = parts; p->name; p++) {
		size_t n = p->n ? p->n : strlen(p->text);

		assert_true(zip_file_add(zip, p->name, zip_source_buffer(zip, p->text, n, 0),
				ZIP_FL_OVERWRITE) >= 0);
	}
	assert_int_equal(zip_close(zip), 0);
	assert_int_equal(zip_source_stat(whole, &st), 0);
	data = malloc(st.size + 1);
	assert_int_equal(zip_source_open(whole), 0);
	assert_int_equal(zip_source_read(whole, data, st.size), (zip_int64_t)st.size);
	fd = make_file(data, st.size);
	zip_source_close(whole);
	zip_source_free(whole);
	free(data);
	return fd;
}

#endif
