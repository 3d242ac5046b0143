/* How memories fade: by the day, once, in pieces. */
#include "tests/unit/db_case.h"

#include "core/domain/memory.h"

#define DAY 86400
#define NOW (INT64_C(20000) * DAY)

static int set_up(void **state UNUSED)
{
	set_up_db();
	cx.now = NOW;
	return 0;
}

static int tear_down(void **state UNUSED)
{
	return tear_down_db();
}

static const char *number(int64_t n)
{
	return arena_printf(cx.arena, "%lld", (long long)n);
}

/* A memory that was made MADE and used USED days before NOW; USED below 0: never. */
static void memory(const char *id, int confidence, double made, double used)
{
	sql("INSERT INTO agent_memory (id, profile_id, category, content, confidence, "
	    "last_accessed_at, created_at, updated_at) "
	    "VALUES (?1, 'p', 'fact', 'x', ?2, nullif(?3, '-'), ?4, 5)",
	    id, number(confidence), used < 0 ? "-" : number(NOW - (int64_t)(used * DAY)),
	    number(NOW - (int64_t)(made * DAY)), NULL);
}

static void decay_at(int64_t now)
{
	cx.now = now;
	while (memory_decay(&cx))
		;
	assert_int_equal(cx.err.rc, RC_OK);
}

static const char *state_of(const char *id)
{
	return rows(arena_printf(cx.arena,
	    "SELECT confidence, status, updated_at FROM agent_memory WHERE id = '%s'", id));
}

static void is(const char *id, const char *want)
{
	assert_string_equal(state_of(id), want);
}

static void the_formula(void **state UNUSED)
{
	memory("a-created", 700, 10, -1);     /* 700 * 0.99^10 = 633.07 */
	memory("b-accessed", 700, 100, 10);
	memory("c-fraction", 1000, 0.5, -1);  /* 994.99 */
	memory("d-now", 700, 0, -1);
	memory("e-later", 700, -1, -1);       /* made by a clock that went ahead */
	memory("f-small", 700, 0.001, -1);    /* 699.99: nothing is written */
	sql("INSERT INTO agent_memory (id, profile_id, category, content, confidence, decay_rate, "
	    "created_at, updated_at) VALUES ('g-half', 'p', 'fact', 'x', 800, 500, ?1, 5), "
	    "('h-none', 'p', 'fact', 'x', 800, 0, ?1, 5), ('i-all', 'p', 'fact', 'x', 800, 2000, ?1, "
	    "5)", number(NOW - 2 * DAY), NULL);
	decay_at(NOW);
	is("a-created", "633|active|1728000000\n");
	is("b-accessed", "633|active|1728000000\n");
	is("c-fraction", "995|active|1728000000\n");
	is("d-now", "700|active|5\n");
	is("e-later", "700|active|5\n");
	is("f-small", "700|active|5\n");
	is("g-half", "200|active|1728000000\n");
	is("h-none", "800|active|5\n");
	is("i-all", "0|decayed|1728000000\n");
}

static void archived_and_decayed(void **state UNUSED)
{
	memory("a", 490, 90, -1);  /* 198: not more than 90 days */
	memory("b", 490, 91, -1);  /* 196 */
	memory("c", 500, 91, -1);  /* 200 */
	memory("d", 110, 10, -1);  /* 99 */
	memory("e", 101, 1, -1);   /* 100 */
	memory("f", 110, 300, 10); /* used lately */
	memory("g", 110, 10, -1);
	sql("UPDATE agent_memory SET status = 'rejected' WHERE id = 'g'", NULL);
	decay_at(NOW);
	is("a", "198|active|1728000000\n");
	is("b", "196|archived|1728000000\n");
	is("c", "200|active|1728000000\n");
	is("d", "99|decayed|1728000000\n");
	is("e", "100|active|1728000000\n");
	is("f", "99|decayed|1728000000\n");
	is("g", "110|rejected|5\n");
}

static void once_a_day(void **state UNUSED)
{
	memory("m", 700, 10, -1);
	decay_at(NOW);
	is("m", "633|active|1728000000\n");
	assert_string_equal(rows("SELECT key, value FROM settings"),
	    "memory.last_decay_at|1728000000\n");
	decay_at(NOW + DAY - 1);
	is("m", "633|active|1728000000\n");
	decay_at(NOW + DAY); /* one more day only: 633 * 0.99 = 626.67 */
	is("m", "627|active|1728086400\n");
	decay_at(NOW + 11 * DAY); /* ten days that nobody was there: 567.05 */
	is("m", "567|active|1728950400\n");
	sql("UPDATE agent_memory SET last_accessed_at = ?1", number(NOW + 11 * DAY + DAY / 2), NULL);
	decay_at(NOW + 12 * DAY); /* half a day: 564.15 */
	is("m", "564|active|1729036800\n");
}

/* Daily or all at once, it comes to the same, and to the archive after about 125 days. */
static void days_do_not_count_twice(void **state UNUSED)
{
	int day = 0;

	memory("m", 700, 0, -1);
	while (strstr(state_of("m"), "|active|"))
		decay_at(NOW + ++day * DAY);
	assert_true(strncmp(state_of("m"), "199|archived|", 13) == 0);
	assert_in_range(day, 124, 127);
}

static void the_clock_may_be_set_back(void **state UNUSED)
{
	memory("m", 700, 0, -1);
	decay_at(NOW + 10 * DAY);
	is("m", "633|active|1728864000\n");
	decay_at(NOW + 5 * DAY);
	is("m", "633|active|1728864000\n");
	decay_at(NOW + 6 * DAY);
	is("m", "627|active|1728518400\n");
}

static void many(int n)
{
	for (int i = 0; i < n; i++)
		memory(arena_printf(cx.arena, "m%04d", i), 700, 10, -1);
}

static void in_pieces(void **state UNUSED)
{
	many(450);
	assert_true(memory_decay(&cx));
	assert_string_equal(rows("SELECT confidence, count(*) FROM agent_memory GROUP BY 1"),
	    "633|200\n700|250\n");
	assert_string_equal(rows("SELECT key, value FROM settings"),
	    "memory.decay_pass|{\"at\":1728000000,\"after\":\"m0199\"}\n");
	/* An hour later, in another process: the same day is finished, with what came and went. */
	cx.now = NOW + 3600;
	memory("m0000a", 700, 10, -1);
	sql("UPDATE agent_memory SET last_accessed_at = ?1 WHERE id = 'm0300'",
	    number(NOW + 1800), NULL);
	sql("DELETE FROM agent_memory WHERE id = 'm0199'", NULL);
	assert_true(memory_decay(&cx));
	assert_false(memory_decay(&cx));
	assert_string_equal(rows("SELECT confidence, count(*) FROM agent_memory GROUP BY 1"),
	    "633|448\n700|2\n");
	is("m0300", "700|active|5\n");
	assert_string_equal(rows("SELECT key, value FROM settings"),
	    "memory.last_decay_at|1728000000\n");
	assert_false(memory_decay(&cx));
	is("m0449", "633|active|1728003600\n");
}

static void an_exact_number_of_pieces(void **state UNUSED)
{
	many(200);
	assert_true(memory_decay(&cx));
	assert_false(memory_decay(&cx));
	assert_string_equal(rows("SELECT confidence, count(*) FROM agent_memory GROUP BY 1"),
	    "633|200\n");
	assert_string_equal(rows("SELECT key FROM settings"), "memory.last_decay_at\n");
}

static void a_spoilt_pass_begins_anew(void **state UNUSED)
{
	memory("m", 700, 10, -1);
	sql("INSERT INTO settings VALUES ('memory.decay_pass', '{\"at\":\"x\"', 1)", NULL);
	decay_at(NOW);
	is("m", "633|active|1728000000\n");
	assert_string_equal(rows("SELECT key FROM settings"), "memory.last_decay_at\n");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	static const struct CMUnitTest TESTS[] = {
		CASE(the_formula),
		CASE(archived_and_decayed),
		CASE(once_a_day),
		CASE(days_do_not_count_twice),
		CASE(the_clock_may_be_set_back),
		CASE(in_pieces),
		CASE(an_exact_number_of_pieces),
		CASE(a_spoilt_pass_begins_anew),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
