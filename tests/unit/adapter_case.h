/* What the tests of the HTTP runtimes' adapters share: an arena, a scripted server, and JSON in which
 * apostrophes stand for quotation marks. */
#ifndef TESTS_UNIT_ADAPTER_CASE_H
#define TESTS_UNIT_ADAPTER_CASE_H

#include "tests/unit/tiny_server.h"

#include <setjmp.h>
#include <cmocka.h>

#include "core/json_in.h"
#include "core/json_out.h"
#include "core/text.h"
#include "tests/unit/anthropic_events.h"

static struct arena *arena;
static struct tiny server;

static inline int setup(void **state UNUSED)
{
	arena = arena_new(ARENA_REQUEST_MAX);
	return 0;
}

static inline int teardown(void **state UNUSED)
{
	arena_free(arena);
	if (server.pid)
		tiny_stop(&server);
	server.pid = 0;
	return 0;
}

static inline json_t *json(const char *text)
{
	json_t *v = json_read_text(arena, quoted(arena, text));

	assert_non_null(v);
	return v;
}

static inline void check_json(const json_t *v, const char *text)
{
	assert_string_equal(v ? json_text(arena, v) : "none", quoted(arena, text));
}

#endif
