/* Saved views: columns and request bodies. The operations check the bodies themselves: what they
 * refuse has words of its own. */
#include "core/model/models.h"

static const char *const DENSITY_WORDS[] = { "comfortable", "compact", "spacious" };
const struct word_set VIEW_DENSITIES = WORDS(DENSITY_WORDS);

static const struct column COLUMNS[] = {
	{ "id", "id", COL_ID, COL_READONLY, NULL, NULL },
	{ "surface", "surface", COL_TEXT, COL_READONLY, NULL, "The list that it is a view of" },
	{ "name", "name", COL_TEXT, 0, NULL, NULL },
	{ "filters", "filters", COL_PACKED, COL_NULL, NULL, "The client's own JSON, as text" },
	{ "sorting", "sorting", COL_PACKED, COL_NULL, NULL, "Likewise" },
	{ "columns", "columns", COL_PACKED, COL_NULL, NULL, "Likewise" },
	{ "density", "density", COL_TEXT, COL_NULL, NULL, "How close the rows stand" },
	{ "is_default", "isDefault", COL_BOOL, 0, NULL, "At most one of a surface is" },
	{ "created_at", "createdAt", COL_TIME, COL_READONLY, NULL, NULL },
	{ "updated_at", "updatedAt", COL_TIME, COL_READONLY, NULL, NULL },
};
const struct model MODEL_VIEW = { "View", "view", "views", COLUMNS, COUNT(COLUMNS),
	"A named way to look at a list: filters, sorting, columns, density" };

static const struct field CREATE[] = {
	{ "surface", F_STRING, F_REQUIRED | F_MIN, .min = 1 },
	{ "name", F_STRING, F_REQUIRED | F_MIN, .min = 1 },
	{ "filters", F_ANY, F_NULLABLE, .doc = "Stored and given back as it is" },
	{ "sorting", F_ANY, F_NULLABLE, .doc = "Likewise" },
	{ "columns", F_ANY, F_NULLABLE, .doc = "Likewise" },
	{ "density", F_ENUM, F_NULLABLE, .words = &VIEW_DENSITIES, .otherwise = "\"comfortable\"" },
	{ "isDefault", F_BOOL, F_NULLABLE, .otherwise = "false",
	    .doc = "true: the surface's default so far is it no more" },
};
const struct shape SHAPE_VIEW_CREATE = { "ViewCreate", CREATE, COUNT(CREATE) };

static const struct field UPDATE[] = {
	{ "name", F_STRING, F_MIN, .min = 1 },
	{ "filters", F_ANY, F_NULLABLE, .doc = "Stored and given back as it is" },
	{ "sorting", F_ANY, F_NULLABLE, .doc = "Likewise" },
	{ "columns", F_ANY, F_NULLABLE, .doc = "Likewise" },
	{ "density", F_ENUM, F_NULLABLE, .words = &VIEW_DENSITIES, .otherwise = "\"comfortable\"" },
	{ "isDefault", F_BOOL, 0, .doc = "true: the surface's default so far is it no more" },
};
const struct shape SHAPE_VIEW_UPDATE = { "ViewUpdate", UPDATE, COUNT(UPDATE) };
