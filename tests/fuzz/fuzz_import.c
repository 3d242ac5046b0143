/* A document, after a byte that says how it is read: whatever it is, the reading ends, every field
 * is UTF-8, and the fields have a type and values that JSON can hold. */
#include "jobrunner/import.h"
#include "tests/fuzz/fuzz.h"

#define FIELDS_MAX 64

static bool take(void *arg, const struct field_text *fields, size_t n)
{
	static const char *const TYPES[] = { "text", "number", "boolean", "date" };
	size_t *records = arg, shown = n < FIELDS_MAX ? n : FIELDS_MAX;
	const char *type;
	json_t *options;

	for (size_t i = 0; i < n; i++)
		require(!fields[i].n || text_is_utf8(fields[i].s, fields[i].n));
	type = import_infer(fields, shown, &options);
	require(
	    json_array_size(options) <= 10 && (options == NULL) == (strcmp(type, "select") != 0));
	json_decref(options);
	for (size_t i = 0; i < shown; i++)
		for (size_t t = 0; t < COUNT(TYPES); t++) {
			json_t *v = import_value(TYPES[t], &fields[i]);

			require(v != NULL && (fields[i].n || json_is_null(v)));
			json_decref(v);
		}
	return ++*records < 1000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;
	size_t records = 0;
	struct err e = { 0 };
	enum rc rc;

	if (!size || size > 1 << 16)
		return 0;
	if (data[0] % 3 == 2)
		rc = import_read_json(text, size - 1, take, &records, &e);
	else
		rc = import_read_csv(
		    text, size - 1, data[0] % 3 ? '\t' : ',', take, &records, &e);
	require((rc == RC_OK) == (records > 0) || (data[0] % 3 == 2 && rc == RC_OK));
	require(rc == RC_OK || *e.msg);
	return 0;
}
