/* What the adapters of the HTTP runtimes have in common. See parts.h. */
#include "jobrunner/runtimes/parts.h"

#include "core/json_in.h"
#include "core/text.h"

bool part_is(const json_t *object, const char *key, const char *value)
{
	const char *s = json_str(object, key);

	return s && strcmp(s, value) == 0;
}

json_t *part_text(const char *text)
{
	json_t *s = json_string(text);

	return s ? s : json_string("[text that is not UTF-8]");
}

void part_add_system(struct buf *b, const struct model_call *mc)
{
	const char *parts[] = { mc->system_stable, mc->system_rest };

	for (size_t i = 0; i < COUNT(parts); i++)
		if (parts[i] && !text_is_blank(parts[i]))
			buf_printf(b, "%s%s", b->len ? "\n\n" : "", parts[i]);
}

void part_shrink(const json_t *conversation, json_t *list, size_t max, const char *key,
    const char *value, const char *member)
{
	size_t i, size = json_dumpb(conversation, NULL, 0, JSON_COMPACT);
	json_t *item;

	json_array_foreach(list, i, item) {
		const char *text = json_str(item, member);

		if (size <= max)
			return;
		if (!part_is(item, key, value) || !text || strlen(text) < sizeof PART_REMOVED)
			continue;
		size -= json_dumpb(item, NULL, 0, JSON_COMPACT);
		json_object_set_new(item, member, json_string(PART_REMOVED));
		size += json_dumpb(item, NULL, 0, JSON_COMPACT);
	}
}
