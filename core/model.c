/* Rows to JSON, and the list of models. */
#include "core/model.h"

#include "core/model/models.h"

const struct model *const MODELS[] = {
	&MODEL_PROJECT,
	&MODEL_TASK,
	&MODEL_LOG,
	&MODEL_DOCUMENT,
	&MODEL_DOCUMENT_ROW,
	&MODEL_NOTIFICATION,
	&MODEL_MEMORY,
	&MODEL_VIEW,
	&MODEL_HANDOFF,
	&MODEL_SCHEDULE,
	&MODEL_REPO_IMPORT,
	&MODEL_CONTEXT,
	&MODEL_TABLE,
	&MODEL_TABLE_COLUMN,
	&MODEL_TABLE_ROW,
	&MODEL_TABLE_HISTORY,
	&MODEL_TABLE_TRIGGER,
	&MODEL_TABLE_CHART,
	&MODEL_TABLE_TEMPLATE,
	&MODEL_WORKFLOW,
	NULL,
};

bool word_in(const struct word_set *set, const char *word)
{
	for (size_t i = 0; word && i < set->n; i++)
		if (strcmp(set->words[i], word) == 0)
			return true;
	return false;
}

const struct model *model_find(const char *alias, size_t n)
{
	for (size_t i = 0; MODELS[i]; i++)
		if (strlen(MODELS[i]->alias) == n && memcmp(MODELS[i]->alias, alias, n) == 0)
			return MODELS[i];
	return NULL;
}

static void cell(struct jw *w, struct q *q, const struct column *c, int col)
{
	if (db_is_null(q, col) || c->type == COL_SECRET) {
		jw_null(w);
		return;
	}
	switch (c->type) {
	case COL_INT:
	case COL_NUM:
		if (db_is_real(q, col))
			jw_num(w, db_num(q, col));
		else
			jw_int(w, db_int(q, col));
		break;
	case COL_BOOL:
		jw_bool(w, db_int(q, col) != 0);
		break;
	case COL_TIME:
		jw_time(w, db_int(q, col));
		break;
	case COL_JSON:
		jw_raw(w, db_text(q, col), db_text_len(q, col));
		break;
	default:
		jw_strn(w, db_text(q, col), db_text_len(q, col));
	}
}

void row_json_members(struct jw *w, struct q *q, const struct model *m, int from)
{
	for (size_t i = 0; i < m->n_cols; i++) {
		jw_key(w, m->cols[i].key);
		cell(w, q, &m->cols[i], from + (int)i);
	}
}

void row_json(struct jw *w, struct q *q, const struct model *m, int from)
{
	jw_obj(w);
	row_json_members(w, q, m, from);
	jw_end_obj(w);
}
