/* What most unit tests begin with: cmocka, and an arena `a` for each test. */
#ifndef TESTS_UNIT_ARENA_CASE_H
#define TESTS_UNIT_ARENA_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/arena.h"

static struct arena *a;

static inline int set_up(void **state UNUSED)
{
	a = arena_new(ARENA_REQUEST_MAX);
	return 0;
}

static inline int tear_down(void **state UNUSED)
{
	arena_free(a);
	return 0;
}

#endif
