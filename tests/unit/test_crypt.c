/* Secrets: the form of the stored text, and the key file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/crypt.h"
#include "core/log.h"

#define CHECK "AAECAwQFBgcICQoL:DhEIb2NzG+VXNVGLAA4arg==:NGn7equR72/oMuM="

static struct arena *a;
static char dir[64];
static unsigned char key[CRYPT_KEY_SIZE], iv[CRYPT_IV_SIZE];

static int set_up(void **state UNUSED)
{
	log_init("test", LOG_ERROR);
	a = arena_new(ARENA_REQUEST_MAX);
	snprintf(dir, sizeof dir, "/tmp/test-crypt-XXXXXX");
	assert_non_null(mkdtemp(dir));
	for (unsigned char i = 0; i < CRYPT_KEY_SIZE; i++)
		key[i] = i;
	memcpy(iv, key, sizeof iv);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	unlink(arena_printf(a, "%s/.keyfile", dir));
	unlink(arena_printf(a, "%s/other", dir));
	rmdir(dir);
	arena_free(a);
	return 0;
}

static void write_file(const char *name, const void *data, size_t n)
{
	int fd = open(arena_printf(a, "%s/%s", dir, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), n);
	close(fd);
}

static void test_check_value(void **state UNUSED)
{
	assert_string_equal(crypt_seal(a, key, iv, "sk-ant-test"), CHECK);
	assert_string_equal(crypt_open(a, key, CHECK), "sk-ant-test");
	assert_string_equal(crypt_open(a, key, crypt_seal(a, key, iv, "")), "");
}

static void test_rubbish(void **state UNUSED)
{
	static const char *const BAD[] = {
		"",
		":",
		"::",
		":::",
		"sk-ant-test",
		CHECK ":",
		"AAECAwQFBgcICQoL:DhEIb2NzG+VXNVGLAA4arg==",
		"AAECAwQFBgcICQoL:DhEIb2NzG+VXNVGLAA4arg==:NGn7equR72/oNuM=",
		"AAECAwQFBgcICQoL:DhEIb2NzG+VXNVGLAA4arw==:NGn7equR72/oMuM=",
		"AQECAwQFBgcICQoL:DhEIb2NzG+VXNVGLAA4arg==:NGn7equR72/oMuM=",
		"AAECAwQFBgcICQ==:DhEIb2NzG+VXNVGLAA4arg==:NGn7equR72/oMuM=",
		"AAECAwQFBgcICQoL:DhEIb2NzG+VXNVGLAA4=:NGn7equR72/oMuM=",
		"AAECAwQFBgcICQoL:DhEIb2NzG+VXNVGLAA4arg==:NGn7equR72/oMuM",
		"AAECAwQFBgcICQoL:DhEIb2NzG+VXNVGLAA4arg==: GN7equR72/oMuM=",
		"AAECAwQFBgcICQoL:DhEIb2NzG+VXNVGLAA4arg==:====",
		"AAECAwQFBgcICQoL:DhEIb2NzG+VXNVGLAA4arg==:NGn7eq=R72/oMuM=",
	};

	for (size_t i = 0; i < COUNT(BAD); i++)
		if (crypt_open(a, key, BAD[i]))
			fail_msg("%s was decrypted", BAD[i]);
}

static void test_key_file(void **state UNUSED)
{
	const char *path = arena_printf(a, "%s/.keyfile", dir), *first, *second;
	struct err e = { 0 };
	struct stat st;

	assert_null(crypt_decrypt(a, dir, CHECK));
	assert_int_not_equal(stat(path, &st), 0);
	assert_int_equal(crypt_encrypt(a, dir, "secret", &first, &e), RC_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, CRYPT_KEY_SIZE);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(crypt_encrypt(a, dir, "secret", &second, &e), RC_OK);
	assert_string_not_equal(first, second);
	assert_string_equal(crypt_decrypt(a, dir, first), "secret");
	assert_string_equal(crypt_decrypt(a, dir, second), "secret");
	assert_null(crypt_decrypt(a, dir, CHECK));
}

static void test_key_file_of_the_reference(void **state UNUSED)
{
	write_file(".keyfile", key, sizeof key);
	assert_string_equal(crypt_decrypt(a, dir, CHECK), "sk-ant-test");
}

static void test_bad_key_file(void **state UNUSED)
{
	const char *path = arena_printf(a, "%s/.keyfile", dir), *out;
	struct err e = { 0 };

	write_file(".keyfile", key, sizeof key - 1);
	assert_int_equal(crypt_encrypt(a, dir, "x", &out, &e), RC_IO);
	assert_null(crypt_decrypt(a, dir, CHECK));
	unlink(path);
	write_file("other", key, sizeof key);
	assert_int_equal(symlink("other", path), 0);
	err_clear(&e);
	assert_int_equal(crypt_encrypt(a, dir, "x", &out, &e), RC_IO);
	assert_null(crypt_decrypt(a, dir, CHECK));
	assert_string_equal(e.msg, "Internal server error");
}

static void test_new_folder(void **state UNUSED)
{
	const char *sub = arena_printf(a, "%s/data", dir), *out;
	struct err e = { 0 };

	assert_int_equal(crypt_encrypt(a, sub, "x", &out, &e), RC_OK);
	assert_string_equal(crypt_decrypt(a, sub, out), "x");
	unlink(arena_printf(a, "%s/.keyfile", sub));
	assert_int_equal(rmdir(sub), 0);
	assert_int_equal(crypt_encrypt(a, "/proc/none", "x", &out, &e), RC_IO);
}

/* Processes that all find no key agree on one. */
static void test_race(void **state UNUSED)
{
	enum { N = 8 };
	int pipes[2];
	char line[256];
	FILE *f;

	assert_int_equal(pipe(pipes), 0);
	for (int i = 0; i < N; i++)
		if (fork() == 0) {
			struct err e = { 0 };
			const char *out = "";

			crypt_encrypt(a, dir, "shared", &out, &e);
			dprintf(pipes[1], "%s\n", out);
			_exit(0);
		}
	close(pipes[1]);
	while (wait(NULL) > 0)
		;
	f = fdopen(pipes[0], "r");
	assert_non_null(f);
	for (int i = 0; i < N; i++) {
		assert_non_null(fgets(line, sizeof line, f));
		line[strcspn(line, "\n")] = '\0';
		assert_string_equal(crypt_decrypt(a, dir, line), "shared");
	}
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_check_value, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rubbish, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_key_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_key_file_of_the_reference, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_key_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_new_folder, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_race, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
