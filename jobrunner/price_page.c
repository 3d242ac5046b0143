/* Reading prices out of a price page: words near labels. */
#include "jobrunner/price_page.h"

#include <ctype.h>
#include <math.h>
#include <openssl/evp.h>
#include <strings.h>

#include "core/json_in.h"
#include "core/json_out.h"

#define MODEL_REACH 260
#define OUTPUT_REACH 160
#define PLAN_REACH 120
#define PRICE_MAX 1000.0

static const struct {
	const char *provider, *key, *labels[5];
	bool plan;
} ROWS[] = {
	{ "anthropic", "anthropic-claude-opus",
	    { "Claude Opus 4.6", "Claude Opus 4.5", "Claude Opus 4" }, false },
	{ "anthropic", "anthropic-claude-sonnet",
	    { "Claude Sonnet 4.6", "Claude Sonnet 4.5", "Claude Sonnet 4" }, false },
	{ "anthropic", "anthropic-claude-haiku",
	    { "Claude Haiku 4.5", "Claude Haiku 3.5", "Claude Haiku" }, false },
	{ "anthropic", "anthropic-plan-pro", { "Claude Pro", "Pro" }, true },
	{ "anthropic", "anthropic-plan-max-5x", { "Max 5x" }, true },
	{ "anthropic", "anthropic-plan-max-20x", { "Max 20x" }, true },
	{ "openai", "openai-gpt-5", { "GPT-5.4", "GPT-5.1", "GPT-5" }, false },
	{ "openai", "openai-gpt-4o", { "GPT-4o" }, false },
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool tag_is(const char *s, const char *end, const char *name)
{
	size_t n = strlen(name);

	return (size_t)(end - s) > n && strncasecmp(s, name, n) == 0 &&
	       !isalnum((unsigned char)s[n]);
}

/* The place behind the tag at S; for scripts and styles behind their content too. */
static const char *skip_tag(const char *s, const char *end)
{
	const char *closing = tag_is(s + 1, end, "script") ? "</script"
	    : tag_is(s + 1, end, "style")                  ? "</style"
							   : NULL;

	if (closing)
		for (s++; s < end && !(*s == '<' && tag_is(s, end, closing)); s++)
			;
	while (s < end && *s != '>')
		s++;
	return s < end ? s + 1 : end;
}

char *page_text(struct arena *a, const char *html, size_t n)
{
	char *out = arena_alloc(a, n + 1), *to = out;

	for (const char *s = html, *end = html + n; s < end;) {
		bool gap = *s == '<' || is_space(*s);
		char c = *s ? *s : ' ';

		s = *s == '<' ? skip_tag(s, end) : s + 1;
		if (!gap)
			*to++ = c;
		else if (to > out && to[-1] != ' ')
			*to++ = ' ';
	}
	return out;
}

/* Reads "$x" at S; with PER "$x / 1M". */
static bool read_price(const char *s, bool per, double *out, const char **behind)
{
	size_t n;

	if (*s++ != '$')
		return false;
	s += strspn(s, " ");
	n = strspn(s, "0123456789");
	if (!n || n > 9)
		return false;
	*out = strtod(s, NULL);
	s += n;
	if (*s == '.' && isdigit((unsigned char)s[1]))
		s += 1 + strspn(s + 1, "0123456789");
	if (per) {
		s += strspn(s, " ");
		if (*s++ != '/')
			return false;
		s += strspn(s, " ");
		if (strncasecmp(s, "1M", 2) != 0)
			return false;
		s += 2;
	}
	*behind = s;
	return true;
}

/* The first price that begins within REACH characters from S. */
static const char *price_within(const char *s, size_t reach, bool per, double *out)
{
	const char *behind;

	for (size_t i = 0; i <= reach && s[i]; i++)
		if (read_price(s + i, per, out, &behind))
			return behind;
	return NULL;
}

static bool price_behind(const char *at, double *in, double *out)
{
	const char *s = price_within(at, MODEL_REACH, true, in);

	return s && price_within(s, OUTPUT_REACH, true, out);
}

bool page_model_price(const char *text, const char *const *labels, double *in, double *out)
{
	for (; *labels; labels++)
		for (const char *at = text; (at = strcasestr(at, *labels)); at++)
			if (price_behind(at + strlen(*labels), in, out))
				return true;
	return false;
}

bool page_plan_price(const char *text, const char *const *labels, double *dollars)
{
	for (; *labels; labels++)
		for (const char *at = text; (at = strcasestr(at, *labels)); at++)
			if (price_within(at + strlen(*labels), PLAN_REACH, false, dollars))
				return true;
	return false;
}

static json_t *row_of(const json_t *part, const char *key)
{
	size_t i;
	json_t *row;

	json_array_foreach(json_object_get(part, "rows"), i, row)
		if (strcmp(json_str(row, "key"), key) == 0)
			return row;
	return NULL;
}

static bool sane(double dollars)
{
	return dollars >= 0 && dollars <= PRICE_MAX;
}

static void set_micros(json_t *row, const char *key, double dollars)
{
	if (sane(dollars))
		json_object_set_new(row, key, json_integer(llround(dollars * 1e6)));
}

void page_apply(json_t *part, const char *provider, const char *text)
{
	for (size_t i = 0; i < COUNT(ROWS); i++) {
		json_t *row = strcmp(ROWS[i].provider, provider) == 0
		    ? row_of(part, ROWS[i].key) : NULL;
		double in, out;

		if (!row)
			continue;
		if (ROWS[i].plan) {
			if (page_plan_price(text, ROWS[i].labels, &in) && sane(in))
				json_object_set_new(row, "monthlyPriceUsd", json_real(in));
		} else if (page_model_price(text, ROWS[i].labels, &in, &out)) {
			set_micros(row, "inputCostPerMillionMicros", in);
			set_micros(row, "outputCostPerMillionMicros", out);
		}
	}
}

const char *page_version(struct arena *a, const json_t *part, const char *provider)
{
	static const char *const KEYS[] = { "key", "inputCostPerMillionMicros",
		"outputCostPerMillionMicros", "monthlyPriceUsd" };
	json_t *list = json_keep(a, json_array()), *row;
	unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
	const char *text;
	size_t i;

	json_array_foreach(json_object_get(part, "rows"), i, row) {
		json_t *item = json_object();

		for (size_t k = 0; k < COUNT(KEYS); k++) {
			json_t *v = json_object_get(row, KEYS[k]);

			json_object_set_new(item, KEYS[k], v ? json_incref(v) : json_null());
		}
		if (json_flag(row, "visible"))
			json_array_append(list, item);
		json_decref(item);
	}
	text = json_text(a, list);
	EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL);
	return arena_printf(a, "%s-registry-%02x%02x%02x%02x%02x", provider, digest[0], digest[1],
	    digest[2], digest[3], digest[4]);
}
