/* Screenshots as documents. A PNG is kept as it came, whatever can be made of it: no thumbnail is no
 * failure. Claude Code makes a JPEG of a large one before anybody sees it. */
#include "jobrunner/screenshot.h"

#include <errno.h>
#include <unistd.h>

#include "core/base64.h"
#include "core/id.h"
#include "core/json_out.h"
#include "core/store.h"
#include "jobrunner/picture.h"

#define NAME_ID_LENGTH 8

bool screenshot_is_tool(const char *tool)
{
	static const char *const TOOLS[] = { "mcp__chrome-devtools__take_screenshot",
		"mcp__playwright__browser_take_screenshot" };

	for (size_t i = 0; i < COUNT(TOOLS); i++)
		if (strcmp(tool, TOOLS[i]) == 0)
			return true;
	return false;
}

static bool write_file(int dir, const char *name, const unsigned char *data, size_t n)
{
	struct store_temp t;
	bool ok;

	if (!store_temp_open(&t, dir))
		return false;
	ok = store_temp_write(&t, (const char *)data, n);
	return store_temp_close(&t, ok ? name : NULL);
}

/* The thumbnail's file, if one can be made; its path, or NULL. */
static const char *write_thumbnail(struct arena *a, int dir, const char *path, const char *id,
    const struct picture *p)
{
	const char *name = arena_printf(a, "%s_thumb.png", id);
	size_t size;
	unsigned char *small = picture_thumbnail(p, &size);
	bool ok = small && write_file(dir, name, small, size);

	if (small)
		picture_free(small);
	return ok ? arena_printf(a, "%s/%s", path, name) : NULL;
}

static enum rc write_files(struct ctx *cx, const struct picture *p, struct screenshot *s,
    struct err *e)
{
	struct arena *a = cx->arena;
	const char *path, *name = arena_printf(a, "%s.png", s->id);
	int dir = store_open(cx, NULL, "screenshots", true, &path);
	int cause = errno;

	if (dir < 0)
		return err_set(e, RC_IO, "%s", strerror(cause));
	if (write_file(dir, name, p->data, p->n)) {
		s->path = arena_printf(a, "%s/%s", path, name);
		s->thumbnail = write_thumbnail(a, dir, path, s->id, p);
		if (fsync(dir) == 0) {
			close(dir);
			return RC_OK;
		}
	}
	cause = errno;
	close(dir);
	screenshot_discard(s);
	return err_set(e, cause == ENOSPC || cause == EDQUOT ? RC_FULL : RC_IO, "%s",
	    strerror(cause));
}

static enum rc store(struct ctx *cx, const struct picture *p, struct screenshot *s, struct err *e)
{
	s->id = id_make(cx->arena);
	s->size = (int64_t)p->n;
	s->width = p->width;
	s->height = p->height;
	return write_files(cx, p, s, e);
}

/* A JPEG is kept as the PNG that it would have been. */
static enum rc store_jpeg(struct ctx *cx, const struct picture *p, struct screenshot *s,
    struct err *e)
{
	struct picture made;
	size_t size;
	unsigned char *data = picture_as_png(p, &size);
	enum rc rc;

	if (!data || !picture_read(data, size, &made))
		rc = err_set(e, RC_INVALID, "a JPEG image that cannot be decoded");
	else
		rc = store(cx, &made, s, e);
	if (data)
		picture_free(data);
	return rc;
}

enum rc screenshot_store(struct ctx *cx, const char *base64, size_t n, struct screenshot *out,
    struct err *e)
{
	unsigned char *data;
	struct picture p;
	size_t size;

	*out = (struct screenshot){ .id = NULL };
	if (n > SCREENSHOT_BASE64_MAX)
		return err_set(e, RC_INVALID, "larger than %zu characters", SCREENSHOT_BASE64_MAX);
	data = base64_decode(cx->arena, base64, n, &size);
	if (!data)
		return err_set(e, RC_INVALID, "not base64");
	if (!picture_read(data, size, &p))
		return err_set(e, RC_INVALID, "not a PNG or JPEG image");
	return p.kind == PICTURE_JPEG ? store_jpeg(cx, &p, out, e) : store(cx, &p, out, e);
}

void screenshot_register(struct ctx *cx, const struct screenshot *s,
    const struct screenshot_owner *of)
{
	struct arena *a = cx->arena;

	db_run(cx->db, Q_SCREENSHOT_INSERT, "tttttttittti", s->id,
	    of->task_id, of->project_id, of->conversation_id, of->message_id,
	    arena_printf(a, "%s.png", s->id),
	    arena_printf(a, "screenshot-%.*s.png", NAME_ID_LENGTH, s->id), s->size, s->path,
	    arena_printf(a, "Image: %ux%u\nFormat: png", s->width, s->height), s->thumbnail,
	    cx->now);
}

void screenshot_discard(const struct screenshot *s)
{
	if (s->path)
		unlink(s->path);
	if (s->thumbnail)
		unlink(s->thumbnail);
}

const char *screenshot_payload(struct arena *a, const struct screenshot *s, const char *tool)
{
	return arena_printf(a,
	    "{\"documentId\":\"%s\",\"thumbnailUrl\":\"/api/documents/%s/file?inline=1&thumb=1\","
	    "\"toolName\":%s}",
	    s->id, s->id, json_quote(a, tool));
}
