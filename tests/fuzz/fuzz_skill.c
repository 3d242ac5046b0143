/* Skills of other programs: whatever their files say, what is derived from it is text within its
 * limits, and the description that was put in is the one that is found. */
#include "core/front.h"
#include "core/profile.h"
#include "jobrunner/skill.h"
#include "tests/fuzz/fuzz.h"

static bool is_text(const char *s)
{
	return s && text_is_utf8(s, strlen(s));
}

static void check_front(struct arena *a, const char *text)
{
	const json_t *front = skill_front(a, text), *v;
	const char *key, *rest = text;

	require(json_is_object(front));
	json_object_foreach((json_t *)(uintptr_t)front, key, v)
		require(*key && json_is_string(v));
	require(!front_block(a, text, &rest) || (rest >= text && rest <= text + strlen(text)));
	require(is_text(skill_body(a, text)));
}

static void check_tags(struct arena *a, const char *skill, const char *readme)
{
	json_t *tags = json_keep(a, json_array()), *v;
	size_t i;

	skill_add_tags(a, tags, "folder", skill, readme, skill_front(a, skill));
	require(json_array_size(tags) >= 1 && json_array_size(tags) <= SKILL_TAGS_MAX);
	json_array_foreach(tags, i, v)
		require(json_is_string(v));
}

static void check_description(struct arena *a, const char *skill, const char *readme)
{
	const char *text = skill_describe(a, &(struct skill_texts){ "name", skill, readme, readme });
	const char *with = skill_put_description(a, skill, text);
	double alike = skill_likeness(skill, readme);

	require(is_text(text) && text_units(text) <= 200);
	require(is_text(with));
	require(json_is_string(json_object_get(skill_front(a, with), "description")) ||
		strpbrk(text, "\r\n"));
	require(alike >= 0 && alike <= 1);
}

/* The first half of the input is SKILL.md, the second a README. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_ARENA_MAX);
	const char *skill = text_as_utf8(a, (const char *)data, size / 2);
	const char *readme = text_as_utf8(a, (const char *)data + size / 2, size - size / 2);

	check_front(a, skill);
	check_tags(a, skill, readme);
	check_description(a, skill, readme);
	require(is_text(skill_plain(a, readme)));
	require(strlen(skill_plain(a, readme)) <= strlen(readme));
	arena_free(a);
	return 0;
}
