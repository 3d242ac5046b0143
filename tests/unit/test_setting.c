/* Settings, the list of permission patterns, and provider keys, on a database of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/crypt.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "core/log.h"
#include "core/migrate.h"
#include "core/setting.h"

static char dir[64];
static struct conf conf;
static struct ctx cx;

static int remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
    struct FTW *ftw UNUSED)
{
	return remove(path);
}

static int set_up(void **state UNUSED)
{
	struct err e = { 0 };

	log_init("test", LOG_ERROR);
	snprintf(dir, sizeof dir, "/tmp/test-setting-XXXXXX");
	assert_non_null(mkdtemp(dir));
	conf = (struct conf){ .data_dir = dir, .anthropic_key = "", .openai_key = "sk-env" };
	assert_int_equal(migrate_run(&conf, &e), RC_OK);
	cx = (struct ctx){ .arena = arena_new(ARENA_REQUEST_MAX), .conf = &conf };
	assert_int_equal(db_open(&cx.db,
			     &(struct db_options){
				 .path = arena_printf(cx.arena, "%s/%s", dir, DB_FILE),
				 .synchronous = "normal" },
			     &e),
	    RC_OK);
	ctx_begin(&cx, "test", NULL);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	db_close(cx.db);
	arena_free(cx.arena);
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *key, const char *value)
{
	assert_int_equal(tx_begin(&cx), RC_OK);
	assert_int_equal(setting_put(&cx, key, value), RC_OK);
	assert_int_equal(tx_end(&cx, RC_OK), RC_OK);
}

static void check_permissions(const char *expected)
{
	assert_string_equal(json_text(cx.arena, permission_list(&cx)), expected);
}

static void test_put_and_get(void **state UNUSED)
{
	assert_null(setting_get(&cx, "a"));
	assert_int_equal(setting_updated_at(&cx, "a"), 0);
	put("a", "1");
	assert_string_equal(setting_get(&cx, "a"), "1");
	assert_int_equal(setting_updated_at(&cx, "a"), cx.now);
	cx.now += 5;
	put("a", "");
	assert_string_equal(setting_get(&cx, "a"), "");
	assert_int_equal(setting_updated_at(&cx, "a"), cx.now);
	assert_int_equal(tx_begin(&cx), RC_OK);
	assert_int_equal(setting_delete(&cx, "a"), RC_OK);
	assert_int_equal(tx_end(&cx, RC_OK), RC_OK);
	assert_null(setting_get(&cx, "a"));
}

static void test_rollback(void **state UNUSED)
{
	assert_int_equal(tx_begin(&cx), RC_OK);
	setting_put(&cx, "a", "1");
	assert_int_equal(tx_end(&cx, RC_INVALID), RC_INVALID);
	assert_null(setting_get(&cx, "a"));
}

static void test_no_transaction(void **state UNUSED)
{
	assert_int_equal(setting_put(&cx, "a", "1"), RC_BUG);
}

static void test_typed(void **state UNUSED)
{
	put("n", "42");
	put("t", "4x");
	put("b", "true");
	assert_int_equal(setting_int(&cx, "n", 10, 300, 60), 42);
	assert_int_equal(setting_int(&cx, "n", 50, 300, 60), 60);
	assert_int_equal(setting_int(&cx, "t", 0, 300, 60), 60);
	assert_int_equal(setting_int(&cx, "none", 0, 300, 60), 60);
	assert_true(setting_flag(&cx, "b"));
	assert_false(setting_flag(&cx, "n"));
	assert_false(setting_flag(&cx, "none"));
}

static void test_permissions(void **state UNUSED)
{
	check_permissions("[]");
	assert_int_equal(permission_add(&cx, "Read"), RC_OK);
	assert_int_equal(permission_add(&cx, "  b \"x\" "), RC_OK);
	assert_int_equal(permission_add(&cx, "Read"), RC_OK);
	check_permissions("[\"Read\",\"  b \\\"x\\\" \"]");
	assert_int_equal(permission_remove(&cx, "read"), RC_OK);
	assert_int_equal(permission_remove(&cx, "Read"), RC_OK);
	check_permissions("[\"  b \\\"x\\\" \"]");
	put(SETTING_PERMISSIONS, "rubbish");
	check_permissions("[]");
	put(SETTING_PERMISSIONS, "{\"a\":1}");
	check_permissions("[]");
	put(SETTING_PERMISSIONS, "[\"a\",5,null,\"b\"]");
	check_permissions("[\"a\",\"b\"]");
	assert_int_equal(permission_add(&cx, "c"), RC_OK);
	assert_string_equal(setting_get(&cx, SETTING_PERMISSIONS), "[\"a\",\"b\",\"c\"]");
}

static void test_permission_limits(void **state UNUSED)
{
	char *lots = arena_alloc(cx.arena, PERMISSION_LENGTH_MAX + 2);
	json_t *list = json_keep(cx.arena, json_array());

	memset(lots, 'x', PERMISSION_LENGTH_MAX);
	assert_int_equal(permission_add(&cx, lots), RC_OK);
	lots[PERMISSION_LENGTH_MAX] = 'x';
	assert_int_equal(permission_add(&cx, lots), RC_INVALID);
	assert_string_equal(cx.err.msg, "Pattern is too long");
	ctx_begin(&cx, "test", NULL);
	for (int i = 0; i < PERMISSIONS_MAX; i++)
		json_array_append_new(list, json_string(arena_printf(cx.arena, "p%d", i)));
	put(SETTING_PERMISSIONS, json_text(cx.arena, list));
	assert_int_equal(permission_add(&cx, "p5"), RC_OK);
	assert_int_equal(permission_add(&cx, "new"), RC_INVALID);
	assert_string_equal(cx.err.msg, "Too many patterns");
	ctx_begin(&cx, "test", NULL);
	assert_int_equal(permission_remove(&cx, "p5"), RC_OK);
	assert_int_equal(permission_add(&cx, "new"), RC_OK);
}

static void test_presets(void **state UNUSED)
{
	const struct policy_preset *read_only = policy_preset_find("read-only");
	const struct policy_preset *git = policy_preset_find("git-safe");

	assert_int_equal(permission_add(&cx, "Grep"), RC_OK);
	assert_int_equal(permission_add(&cx, "x"), RC_OK);
	assert_int_equal(permission_add_preset(&cx, read_only), RC_OK);
	check_permissions("[\"Grep\",\"x\",\"Read\",\"Glob\",\"LS\",\"NotebookRead\"]");
	assert_int_equal(permission_add_preset(&cx, git), RC_OK);
	assert_int_equal(permission_remove_preset(&cx, git), RC_OK);
	check_permissions("[\"Grep\",\"x\",\"Read\",\"Glob\",\"LS\",\"NotebookRead\"]");
	assert_int_equal(permission_add_preset(&cx, git), RC_OK);
	assert_int_equal(permission_remove_preset(&cx, read_only), RC_OK);
	assert_true(policy_preset_active(git, permission_list(&cx)));
	assert_int_equal(permission_remove(&cx, "LS"), RC_OK);
	assert_int_equal(permission_remove_preset(&cx, read_only), RC_OK);
	check_permissions("[\"x\",\"Write\",\"Edit\",\"Bash(command:git *)\"]");
}

static void test_nested(void **state UNUSED)
{
	assert_int_equal(tx_begin(&cx), RC_OK);
	assert_int_equal(permission_add(&cx, "Read"), RC_OK);
	assert_int_equal(tx_end(&cx, RC_CONFLICT), RC_CONFLICT);
	ctx_begin(&cx, "test", NULL);
	check_permissions("[]");
}

static void test_provider_keys(void **state UNUSED)
{
	const char *stored, *from;

	assert_null(provider_key(&cx, "anthropic"));
	assert_string_equal(provider_key(&cx, "openai"), "sk-env");
	assert_null(provider_key(&cx, "ollama"));
	assert_int_equal(crypt_encrypt(cx.arena, dir, "sk-ant-db", &stored, &cx.err), RC_OK);
	put("auth.apiKey", stored);
	assert_string_equal(provider_key_from(&cx, "anthropic", &from), "sk-ant-db");
	assert_string_equal(from, "db");
	put("auth.apiKey", "AAECAwQFBgcICQoL:DhEIb2NzG+VXNVGLAA4arg==:NGn7equR72/oMuM=");
	assert_null(provider_key_from(&cx, "anthropic", &from));
	assert_null(from);
	conf.anthropic_key = "sk-ant-env";
	assert_string_equal(provider_key_from(&cx, "anthropic", &from), "sk-ant-env");
	assert_string_equal(from, "env");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_put_and_get, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rollback, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_transaction, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_typed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_permissions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_permission_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_presets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nested, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_provider_keys, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
