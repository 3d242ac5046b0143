/* ZIP archives by libzip. */
#include "jobrunner/extract/pack.h"

#include <unistd.h>
#include <zip.h>

#include "core/text.h"

#define CHUNK	  65536
#define RATIO_MIN ((uint64_t)1 << 20)

const struct pack_limits PACK_LIMITS = {
	.total = (uint64_t)200 << 20,
	.part = (uint64_t)100 << 20,
	.parts = 10000,
};

struct pack {
	zip_t *zip;
	struct pack_limits limits;
	size_t parts;
	uint64_t total;	   /* unpacked so far */
	uint64_t *counted; /* how much of each part is in that */
};

struct pack *pack_open(int fd, const struct pack_limits *limits, struct err *e)
{
	struct pack *p = calloc(1, sizeof *p);
	int own = dup(fd), code = 0;
	zip_int64_t n;

	if (p && own >= 0)
		p->zip = zip_fdopen(own, 0, &code);
	if (!p || !p->zip) {
		if (own >= 0)
			close(own);
		free(p);
		err_set(e, RC_INVALID, "Not a ZIP archive, or a damaged one");
		return NULL;
	}
	p->limits = limits ? *limits : PACK_LIMITS;
	n = zip_get_num_entries(p->zip, 0);
	p->parts = n > 0 ? (size_t)n : 0;
	if (p->parts > p->limits.parts) {
		err_set(e, RC_TOOLARGE, "The archive has more than %zu parts", p->limits.parts);
		pack_close(p);
		return NULL;
	}
	p->counted = calloc(p->parts + 1, sizeof *p->counted);
	if (!p->counted) {
		err_set(e, RC_TOOLARGE, "Out of memory");
		pack_close(p);
		return NULL;
	}
	return p;
}

void pack_close(struct pack *p)
{
	if (!p)
		return;
	zip_discard(p->zip);
	free(p->counted);
	free(p);
}

size_t pack_parts(const struct pack *p)
{
	return p->parts;
}

const char *pack_name(const struct pack *p, size_t i)
{
	const char *name = zip_get_name(p->zip, i, ZIP_FL_ENC_GUESS);

	return name && text_is_utf8(name, strlen(name)) ? name : "";
}

int64_t pack_find(const struct pack *p, const char *name)
{
	zip_int64_t i;

	if (*name == '/')
		name++;
	i = zip_name_locate(p->zip, name, ZIP_FL_ENC_GUESS);
	if (i < 0)
		i = zip_name_locate(p->zip, name, ZIP_FL_ENC_GUESS | ZIP_FL_NOCASE);
	return i < 0 ? PACK_NONE : i;
}

/* Whether N unpacked bytes of part I are still within the limits. */
static bool fits(struct pack *p, size_t i, uint64_t n, uint64_t packed)
{
	if (n > p->counted[i]) {
		p->total += n - p->counted[i];
		p->counted[i] = n;
	}
	return n <= p->limits.part && p->total <= p->limits.total &&
	    (!p->limits.ratio || n <= RATIO_MIN || n / p->limits.ratio <= packed);
}

enum rc pack_read(struct pack *p, int64_t i, buf_sink sink, void *arg, struct err *e)
{
	char chunk[CHUNK];
	zip_stat_t st;
	zip_file_t *f;
	uint64_t n = 0;
	zip_int64_t got = 0;
	enum rc rc = RC_OK;

	if (i < 0 || (size_t)i >= p->parts || zip_stat_index(p->zip, (zip_uint64_t)i, 0, &st) != 0)
		return err_set(e, RC_INVALID, "The archive is damaged");
	f = zip_fopen_index(p->zip, (zip_uint64_t)i, 0);
	if (!f)
		return err_set(e, RC_INVALID, "The archive is damaged or encrypted");
	while (rc == RC_OK && (got = zip_fread(f, chunk, sizeof chunk)) > 0) {
		n += (uint64_t)got;
		if (!fits(p, (size_t)i, n, st.comp_size))
			rc = err_set(e, RC_TOOLARGE, "The archive is too large when unpacked");
		else if (!sink(arg, chunk, (size_t)got))
			break;
	}
	if (rc == RC_OK && got < 0)
		rc = err_set(e, RC_INVALID, "The archive is damaged");
	zip_fclose(f);
	return rc;
}
