/* Validation in the words of the interface: every message pattern, and where messages go. */
#include "tests/unit/arena_case.h"

#include "core/json_in.h"
#include "core/shape.h"

static const char *const AB_WORDS[] = { "a", "b", "c" };
static const struct word_set AB = WORDS(AB_WORDS);
static const char *const ONE_WORD[] = { "a" };
static const struct word_set ONE = WORDS(ONE_WORD);

static const struct field TEXT = { .type = F_STRING };
static const struct field EITHER[] = {
	{ .type = F_STRING },
	{ .type = F_NUMBER, .flags = F_MIN, .min = 10 },
	{ .type = F_ARRAY, .item = &TEXT },
};

static const struct field INNER_FIELDS[] = {
	{ .key = "x", .type = F_STRING, .flags = F_REQUIRED | F_MIN, .min = 2 },
	{ .key = "y", .type = F_NUMBER },
};
static const struct shape INNER = { .name = "Inner", .fields = INNER_FIELDS,
	.n = COUNT(INNER_FIELDS), .strict = true };

/* One field under the key "f", and what is said about "f" in {"f":VALUE}; VALUE NULL: no key. */
static void check(const struct field *proto, const char *value, const char *expected)
{
	struct field f = *proto;
	struct shape s = { .name = "S", .fields = &f, .n = 1 };
	struct problem *list;
	const char *line = "";

	f.key = "f";
	list = shape_problems(
	    a, &s, json_read_text(a, value ? arena_printf(a, "{\"f\":%s}", value) : "{}"));
	for (struct problem *p = list; p; p = p->next) {
		assert_string_equal(p->field, "f");
		line = arena_printf(a, "%s%s%s", line, p == list ? "" : "; ", p->message);
	}
	if (strcmp(line, expected) != 0)
		fail_msg("%s: \"%s\" instead of \"%s\"", value ? value : "(none)", line, expected);
}

static const struct {
	enum field_type type;
	const char *name;
} TYPES[] = { { F_STRING, "string" }, { F_NUMBER, "number" }, { F_INT, "number" },
	{ F_BOOL, "boolean" }, { F_ARRAY, "array" }, { F_OBJECT, "object" },
	{ F_RECORD, "record" } };

static const char *const VALUES[][2] = { { NULL, "undefined" }, { "null", "null" },
	{ "\"x\"", "string" }, { "1", "number" }, { "true", "boolean" }, { "[]", "array" },
	{ "{}", "object" } };

/* Every type against every value. */
static void test_types(void **state UNUSED)
{
	for (size_t t = 0; t < COUNT(TYPES); t++)
		for (size_t v = 0; v < COUNT(VALUES); v++) {
			struct field f = { .type = TYPES[t].type, .flags = F_REQUIRED };
			bool fits = strcmp(TYPES[t].name, VALUES[v][1]) == 0 ||
				    (f.type == F_RECORD && strcmp(VALUES[v][1], "object") == 0);

			check(&f, VALUES[v][0],
			    fits ? ""
				 : arena_printf(a, "Invalid input: expected %s, received %s",
				       TYPES[t].name, VALUES[v][1]));
		}
	check(&(struct field){ .type = F_ANY, .flags = F_REQUIRED }, "null", "");
}

static void test_optional_and_nullable(void **state UNUSED)
{
	check(&(struct field){ .type = F_STRING }, NULL, "");
	check(&(struct field){ .type = F_STRING }, "null",
	    "Invalid input: expected string, received null");
	check(&(struct field){ .type = F_STRING, .flags = F_NULLABLE }, "null", "");
	check(&(struct field){ .type = F_STRING, .flags = F_NULLABLE | F_REQUIRED }, NULL,
	    "Invalid input: expected string, received undefined");
	check(&(struct field){ .type = F_ENUM, .words = &AB, .flags = F_NULLABLE }, "null", "");
	check(&(struct field){ .type = F_ENUM, .words = &AB }, NULL, "");
}

static void test_integers(void **state UNUSED)
{
	const struct field f = { .type = F_INT };
	const struct field bounded = { .type = F_INT, .flags = F_MIN | F_MAX, .min = 1, .max = 3 };

	check(&f, "5", "");
	check(&f, "5.0", "");
	check(&f, "5.5", "Invalid input: expected int, received number");
	check(&f, "9007199254740991", "");
	check(&f, "9007199254740992", "Too big: expected int to be <=9007199254740991");
	check(&f, "-9007199254740992", "Too small: expected int to be >=-9007199254740991");
	check(&bounded, "0", "Too small: expected number to be >=1");
	check(&bounded, "4", "Too big: expected number to be <=3");
}

static void test_numbers(void **state UNUSED)
{
	const struct field range = { .type = F_NUMBER, .flags = F_MIN | F_MAX, .min = 0.5,
		.max = 1e21 };
	const struct field open = { .type = F_NUMBER, .flags = F_MIN | F_MAX | F_ABOVE | F_BELOW,
		.min = 0, .max = 1 };
	const struct field step = { .type = F_NUMBER, .flags = F_MULTIPLE, .multiple = 1000 };
	const struct field own = { .type = F_NUMBER, .flags = F_MIN, .min = 1,
		.message_min = "Own words" };

	check(&range, "0.5", "");
	check(&range, "0.4", "Too small: expected number to be >=0.5");
	check(&range, "1e22", "Too big: expected number to be <=1e+21");
	check(&range, "\"1\"", "Invalid input: expected number, received string");
	check(&open, "0.5", "");
	check(&open, "0", "Too small: expected number to be >0");
	check(&open, "1", "Too big: expected number to be <1");
	check(&step, "3000", "");
	check(&step, "1500", "Invalid number: must be a multiple of 1000");
	check(&own, "0", "Own words");
}

static void test_lengths(void **state UNUSED)
{
	const struct field text = { .type = F_STRING, .flags = F_MIN | F_MAX, .min = 2, .max = 3 };
	const struct field list = { .type = F_ARRAY, .flags = F_MIN | F_MAX, .min = 1, .max = 2,
		.item = &TEXT };
	const struct field own = { .type = F_STRING, .flags = F_MIN, .min = 1,
		.message_min = "Title is required" };

	check(&text, "\"ab\"", "");
	check(&text, "\"a\"", "Too small: expected string to have >=2 characters");
	check(&text, "\"abcd\"", "Too big: expected string to have <=3 characters");
	check(&text, "\"😀😀\"", "Too big: expected string to have <=3 characters");
	check(&text, "\"日本\"", "");
	check(&list, "[]", "Too small: expected array to have >=1 items");
	check(&list, "[\"a\",\"b\",\"c\"]", "Too big: expected array to have <=2 items");
	check(&own, "\"\"", "Title is required");
	check(&own, NULL, "");
}

/* Length limits also look at texts and arrays of the wrong type. */
static void test_lengths_of_the_wrong_type(void **state UNUSED)
{
	const struct field text = { .type = F_STRING, .flags = F_MIN, .min = 1 };
	const struct field list = { .type = F_ARRAY, .flags = F_MIN | F_MAX, .min = 1, .max = 2 };
	const struct field own = { .type = F_STRING, .flags = F_MIN, .min = 1,
		.message_min = "Title is required" };

	check(&text, "[]",
	    "Invalid input: expected string, received array; "
	    "Too small: expected array to have >=1 items");
	check(&text, "[1]", "Invalid input: expected string, received array");
	check(&text, "{}", "Invalid input: expected string, received object");
	check(&list, "\"\"",
	    "Invalid input: expected array, received string; "
	    "Too small: expected string to have >=1 characters");
	check(&list, "\"abc\"",
	    "Invalid input: expected array, received string; "
	    "Too big: expected string to have <=2 characters");
	check(&own, "[]", "Invalid input: expected string, received array; Title is required");
}

static void test_words(void **state UNUSED)
{
	static const char *const BAD[] = { NULL, "null", "\"x\"", "1", "[]", "\"A\"" };
	const struct field f = { .type = F_ENUM, .flags = F_REQUIRED, .words = &AB };
	const struct field one = { .type = F_ENUM, .flags = F_REQUIRED, .words = &ONE };

	check(&f, "\"b\"", "");
	for (size_t i = 0; i < COUNT(BAD); i++) {
		check(&f, BAD[i], "Invalid option: expected one of \"a\"|\"b\"|\"c\"");
		check(&one, BAD[i], "Invalid input: expected \"a\"");
	}
	check(&one, "\"a\"", "");
}

static void test_union(void **state UNUSED)
{
	const struct field f = { .type = F_UNION, .flags = F_REQUIRED, .item = EITHER,
		.n_items = COUNT(EITHER) };

	check(&f, "\"x\"", "");
	check(&f, "10", "");
	check(&f, "[\"x\"]", "");
	check(&f, "9", "Invalid input");
	check(&f, "[1]", "Invalid input");
	check(&f, "true", "Invalid input");
	check(&f, NULL, "Invalid input");
}

static void test_strict(void **state UNUSED)
{
	const struct field f = { .type = F_OBJECT, .shape = &INNER };

	check(&f, "{\"x\":\"ab\"}", "");
	check(&f, "{\"x\":\"ab\",\"b\":1}", "Unrecognized key: \"b\"");
	check(&f, "{\"b\":1,\"x\":\"ab\",\"c\":1}", "Unrecognized keys: \"b\", \"c\"");
	check(&f, "{\"x\":\"a\",\"y\":\"\",\"b\":1}",
	    "Too small: expected string to have >=2 characters; "
	    "Invalid input: expected number, received string; Unrecognized key: \"b\"");
}

static void test_formats(void **state UNUSED)
{
	static const struct {
		enum field_format format;
		const char *message;
		const char *good[12], *bad[18];
	} ROWS[] = {
		{ FMT_VERSION, "Invalid string: must match pattern /^\\d+\\.\\d+\\.\\d+$/",
		    { "1.0.0", "10.200.3000" },
		    { "", "1.0", "1.0.0.0", "1..0", "v1.0.0", "1.0.0 ", "1.0.x", ".1.0" } },
		{ FMT_URL, "Invalid URL",
		    { "http://a", "https://a.b/c?d#e", "HTTPS://A:8080", "mailto:x@y", "a:b",
			"http:a", " http://a ", "http://u:p@a:80/x@y:z", "http://[::1]:8080",
			"http://a:" },
		    { "", "x", "http://", "https:///?x", "//a", "1a:b", "http://a b", "http://:80",
			"/path", ":x", "http://a<b", "http://a:x", "http://a:65536", "http://[::1",
			"http://[::1]x", "http://u@", " " } },
		{ FMT_UUID, "Invalid UUID",
		    { "123e4567-e89b-42d3-a456-426614174000",
			"123E4567-E89B-82D3-B456-426614174000",
			"00000000-0000-0000-0000-000000000000",
			"ffffffff-ffff-ffff-ffff-ffffffffffff" },
		    { "", "x", "123e4567-e89b-02d3-a456-426614174000",
			"123e4567-e89b-92d3-a456-426614174000",
			"123e4567-e89b-42d3-c456-426614174000",
			"123e4567e89b42d3a456426614174000",
			"123e4567-e89b-42d3-a456-4266141740000",
			"123e4567-e89b-42d3-a456-42661417400",
			"123g4567-e89b-42d3-a456-426614174000" } },
		{ FMT_EMAIL, "Invalid email address",
		    { "a@b.cd", "a.b+c-d_e'f@g-h.ij.kl", "1@2.com" },
		    { "", "a", "@b.cd", "a@", "a@b", "a@b.c", "a@.cd", "a@b..cd", ".a@b.cd",
			"a..b@c.de", "a.@b.cd", "a@-b.cd", "a b@c.de", "a@b.c1" } },
		{ FMT_TIME, "Invalid ISO datetime",
		    { "2026-03-17T00:00:00.000Z", "2026-03-17T00:00:00Z" },
		    { "", "2026-03-17", "2026-03-17T00:00:00", "2026-02-30T00:00:00Z",
			"2026-03-17T00:00:00+01:00" } },
	};

	for (size_t i = 0; i < COUNT(ROWS); i++) {
		struct field f = { .type = F_STRING, .format = ROWS[i].format };

		for (size_t j = 0; j < COUNT(ROWS[i].good) && ROWS[i].good[j]; j++)
			check(&f, arena_printf(a, "\"%s\"", ROWS[i].good[j]), "");
		for (size_t j = 0; j < COUNT(ROWS[i].bad) && ROWS[i].bad[j]; j++)
			check(&f, arena_printf(a, "\"%s\"", ROWS[i].bad[j]), ROWS[i].message);
		check(&f, "5", "Invalid input: expected string, received number");
	}
}

static void test_prefix(void **state UNUSED)
{
	const struct field f = { .type = F_STRING, .prefix = "sk-" };
	const struct field own = { .type = F_STRING, .prefix = "sk-", .message_prefix = "Own" };

	check(&f, "\"sk-\"", "");
	check(&f, "\"SK-a\"", "Invalid string: must start with \"sk-\"");
	check(&f, "[]", "Invalid input: expected string, received array");
	check(&own, "\"x\"", "Own");
}

static void test_elements(void **state UNUSED)
{
	const struct field list = { .type = F_ARRAY, .flags = F_MAX, .max = 2, .item = &TEXT };
	const struct field record = { .type = F_RECORD, .item = &TEXT };

	check(&list, "[1,\"a\",null]",
	    "Invalid input: expected string, received number; "
	    "Invalid input: expected string, received null; "
	    "Too big: expected array to have <=2 items");
	check(&record, "{\"a\":1,\"b\":\"x\",\"c\":[]}",
	    "Invalid input: expected string, received number; "
	    "Invalid input: expected string, received array");
}

static const struct field BODY_FIELDS[] = {
	{ .key = "b", .type = F_STRING, .flags = F_REQUIRED },
	{ .key = "inner", .type = F_OBJECT, .shape = &INNER },
	{ .key = "a", .type = F_ARRAY, .flags = F_REQUIRED | F_MIN, .min = 1, .item = &TEXT },
};
static const struct shape BODY = { .name = "Body", .fields = BODY_FIELDS,
	.n = COUNT(BODY_FIELDS), .strict = true };

static void check_body(const char *value, const char *expected)
{
	struct err e = { 0 };

	assert_int_equal(shape_check(a, &BODY, json_read_text(a, value), &e), RC_INVALID);
	assert_int_equal(e.rc, RC_INVALID);
	assert_string_equal(e.body, expected);
}

/* Fields in the order of the shape; nested problems under the outermost field. */
static void test_bodies(void **state UNUSED)
{
	struct err e = { 0 };

	check_body("{\"a\":[1],\"inner\":{\"y\":\"\",\"x\":\"a\"}}",
	    "{\"error\":{\"formErrors\":[],\"fieldErrors\":{"
	    "\"b\":[\"Invalid input: expected string, received undefined\"],"
	    "\"inner\":[\"Too small: expected string to have >=2 characters\","
	    "\"Invalid input: expected number, received string\"],"
	    "\"a\":[\"Invalid input: expected string, received number\"]}}}");
	check_body("{\"a\":[\"x\"],\"b\":\"\",\"z\":1,\"y\":2}",
	    "{\"error\":{\"formErrors\":[\"Unrecognized keys: \\\"z\\\", \\\"y\\\"\"],"
	    "\"fieldErrors\":{}}}");
	check_body("[]", "{\"error\":{\"formErrors\":"
			 "[\"Invalid input: expected object, received array\"],"
			 "\"fieldErrors\":{}}}");
	check_body("null", "{\"error\":{\"formErrors\":"
			   "[\"Invalid input: expected object, received null\"],"
			   "\"fieldErrors\":{}}}");
	assert_int_equal(shape_check(a, &BODY, json_read_text(a, "{\"a\":[\"x\"],\"b\":\"\"}"), &e),
	    RC_OK);
	assert_int_equal(e.rc, RC_OK);
}

/* Of each field a thousand problems are told, and a long list costs no more than a short one. */
static void test_many_problems(void **state UNUSED)
{
	struct arena *small = arena_new(1 << 20);
	json_t *v = json_pack("{s:[], s:i}", "a", "b", 0), *list = json_object_get(v, "a");
	struct problem *p;
	size_t n = 0;

	for (int i = 0; i < 100000; i++)
		json_array_append_new(list, json_integer(i));
	p = shape_problems(small, &BODY, v);
	for (; p; p = p->next)
		n += strcmp(p->field, "a") == 0;
	assert_int_equal(n, 1000);
	assert_non_null(strstr(shape_errors_body(small, shape_problems(small, &BODY, v)),
	    "\"b\":[\"Invalid input: expected string, received number\"]"));
	assert_false(arena_exhausted(small));
	json_decref(v);
	arena_free(small);
}

static void test_plain_and_lines(void **state UNUSED)
{
	struct shape s = BODY;
	struct err e = { 0 };

	s.plain = "b is required";
	assert_int_equal(shape_check(a, &s, json_read_text(a, "{}"), &e), RC_INVALID);
	assert_string_equal(e.msg, "b is required");
	assert_null(e.body);
	assert_string_equal(
	    shape_problems_line(a, shape_problems(a, &BODY, json_read_text(a, "{\"z\":1}"))),
	    "b: Invalid input: expected string, received undefined; "
	    "a: Invalid input: expected array, received undefined; Unrecognized key: \"z\"");
	err_clear(&e);
	assert_int_equal(shape_fail(a, &e, "f", "Own words"), RC_INVALID);
	assert_string_equal(e.body,
	    "{\"error\":{\"formErrors\":[],\"fieldErrors\":{\"f\":[\"Own words\"]}}}");
}

static void test_json_schema(void **state UNUSED)
{
	const struct field fields[] = {
		{ .key = "u", .type = F_UNION, .item = EITHER, .n_items = 2, .doc = "Either" },
		{ .key = "id", .type = F_STRING, .flags = F_REQUIRED, .format = FMT_UUID },
		{ .key = "n", .type = F_INT, .flags = F_MIN | F_ABOVE | F_MAX | F_MULTIPLE,
		    .min = 0, .max = 9, .multiple = 3, .otherwise = "3" },
		{ .key = "w", .type = F_ENUM, .words = &AB, .flags = F_NULLABLE },
		{ .key = "l", .type = F_ARRAY, .flags = F_MAX, .max = 2, .item = &TEXT },
		{ .key = "o", .type = F_OBJECT, .shape = &INNER },
	};
	const struct shape s = { .name = "S", .fields = fields, .n = COUNT(fields) };
	struct buf b;
	struct jw w = jw_on(&b);

	buf_init(&b, 1 << 16);
	shape_json_schema(&w, &s);
	assert_string_equal(buf_text(&b),
	    "{\"type\":\"object\",\"properties\":{"
	    "\"u\":{\"description\":\"Either\",\"anyOf\":[{\"type\":\"string\"},"
	    "{\"type\":\"number\",\"minimum\":10}]},"
	    "\"id\":{\"type\":\"string\",\"format\":\"uuid\"},"
	    "\"n\":{\"type\":\"integer\",\"exclusiveMinimum\":0,\"maximum\":9,\"multipleOf\":3,"
	    "\"default\":3},"
	    "\"w\":{\"type\":[\"string\",\"null\"],\"enum\":[\"a\",\"b\",\"c\",null]},"
	    "\"l\":{\"type\":\"array\",\"maxItems\":2,\"items\":{\"type\":\"string\"}},"
	    "\"o\":{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"string\","
	    "\"minLength\":2},\"y\":{\"type\":\"number\"}},\"required\":[\"x\"],"
	    "\"additionalProperties\":false}},\"required\":[\"id\"]}");
	assert_non_null(json_read_text(a, buf_text(&b)));
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_optional_and_nullable),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_lengths_of_the_wrong_type),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_union),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_elements),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_many_problems),
		cmocka_unit_test(test_plain_and_lines),
		cmocka_unit_test(test_json_schema),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
