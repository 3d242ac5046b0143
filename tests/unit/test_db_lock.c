/* The write lock: who has it, who is refused it at once, and that a request waits with at most one of
 * the background writers. */
#include "tests/unit/db_case.h"

#include <poll.h>
#include <pthread.h>

#define WAITERS 6
#define LOOKS 2000
#define LOOK_MS 5

static int set_up(void **state UNUSED)
{
	return set_up_db();
}

static int tear_down(void **state UNUSED)
{
	return tear_down_db();
}

static struct db *open_db(bool background, struct err *e)
{
	struct db_options o = { .path = arena_printf(cx.arena, "%s/%s", scratch, DB_FILE),
		.synchronous = "normal", .background = background };
	struct db *db;

	*e = (struct err){ 0 };
	assert_int_equal(db_open(&db, &o, e), RC_OK);
	db_use(db, e);
	return db;
}

static void expect_busy(struct db *db, struct err *e)
{
	assert_int_equal(db_begin_now(db), RC_BUSY);
	err_clear(e);
}

static void test_at_once(void **state UNUSED)
{
	struct err e[3];
	struct db *one = open_db(true, &e[0]), *two = open_db(true, &e[1]);
	struct db *front = open_db(false, &e[2]);

	assert_int_equal(db_begin_now(front), RC_OK);
	expect_busy(one, &e[0]);
	expect_busy(two, &e[1]);
	assert_int_equal(db_end(front, RC_OK), RC_OK);
	/* Those that were refused have left nothing behind. */
	assert_int_equal(db_begin_now(two), RC_OK);
	expect_busy(one, &e[0]);
	expect_busy(front, &e[2]);
	assert_int_equal(db_end(two, RC_OK), RC_OK);
	assert_int_equal(db_begin_now(one), RC_OK);
	assert_int_equal(db_end(one, RC_OK), RC_OK);
	db_close(one);
	db_close(two);
	db_close(front);
}

/* Those who wait for a lock of KIND ("FLOCK", "OFDLCK") on the lock file, as the kernel lists them. */
static int count_waiting(const char *kind)
{
	char line[512], name[16];
	unsigned long inode;
	struct stat st;
	FILE *f = fopen("/proc/locks", "r");
	int n = 0;

	assert_non_null(f);
	assert_int_equal(stat(arena_printf(cx.arena, "%s/%s-lock", scratch, DB_FILE), &st), 0);
	while (fgets(line, sizeof line, f))
		n += sscanf(line, "%*d: -> %15s %*s %*s %*d %*x:%*x:%lu", name, &inode) == 2 &&
		     strcmp(name, kind) == 0 && inode == st.st_ino;
	fclose(f);
	return n;
}

static void wait_for(const char *kind, int n)
{
	for (int i = 0; i < LOOKS && count_waiting(kind) != n; i++)
		poll(NULL, 0, LOOK_MS);
	assert_int_equal(count_waiting(kind), n);
}

struct waiter {
	pthread_t thread;
	struct db *db;
	struct err e;
	int *next, turn; /* turn: the how manieth it was to get the lock */
};

static void *take_turn(void *arg)
{
	struct waiter *w = arg;

	if (db_begin(w->db) == RC_OK) {
		w->turn = (*w->next)++;
		db_end(w->db, RC_OK);
	}
	return NULL;
}

static void test_in_front(void **state UNUSED)
{
	struct waiter all[WAITERS + 1] = { 0 }, *front = &all[WAITERS];
	int next = 0;
	struct err e;
	struct db *holder = open_db(true, &e);

	assert_int_equal(db_begin(holder), RC_OK);
	for (struct waiter *w = all; w <= front; w++) {
		w->db = open_db(w != front, &w->e);
		w->next = &next;
		w->turn = -1;
		assert_int_equal(pthread_create(&w->thread, NULL, take_turn, w), 0);
	}
	wait_for("FLOCK", 1); /* the one in front; the holder has the others' turn */
	wait_for("OFDLCK", WAITERS);
	assert_int_equal(next, 0);
	assert_int_equal(db_end(holder, RC_OK), RC_OK);
	for (struct waiter *w = all; w <= front; w++) {
		pthread_join(w->thread, NULL);
		assert_in_range(w->turn, 0, WAITERS);
		db_close(w->db);
	}
	assert_int_equal(next, WAITERS + 1);
	db_close(holder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_in_front, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
