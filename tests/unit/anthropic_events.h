/* Streams of the Messages API in few words. Apostrophes stand for quotation marks. */
#ifndef TESTS_UNIT_ANTHROPIC_EVENTS_H
#define TESTS_UNIT_ANTHROPIC_EVENTS_H

#include "core/arena.h"

static inline const char *quoted(struct arena *a, const char *s)
{
	char *out = arena_strdup(a, s);

	for (char *p = out; *p; p++)
		if (*p == '\'')
			*p = '"';
	return out;
}

#define EV(type, rest) "event: " type "\ndata: {'type':'" type "'" rest "}\n\n"
#define BEGIN EV("message_start", ",'message':{'id':'msg_1','role':'assistant'," \
	"'model':'claude-x','content':[],'usage':{'input_tokens':100," \
	"'cache_creation_input_tokens':30,'cache_read_input_tokens':7,'output_tokens':1}}")
#define OPEN(i, block) EV("content_block_start", ",'index':" #i ",'content_block':" block)
#define DELTA(i, delta) EV("content_block_delta", ",'index':" #i ",'delta':" delta)
#define TEXT(i, text) DELTA(i, "{'type':'text_delta','text':'" text "'}")
#define INPUT(i, text) DELTA(i, "{'type':'input_json_delta','partial_json':'" text "'}")
#define CLOSE(i) EV("content_block_stop", ",'index':" #i)
#define END(stop) EV("message_delta", ",'delta':{'stop_reason':" stop "," \
	"'stop_sequence':null},'usage':{'output_tokens':20}") EV("message_stop", "")
#define TEXT_BLOCK "{'type':'text','text':''}"
#define TOOL(id, name) "{'type':'tool_use','id':'" id "','name':'" name "','input':{}}"
#define FAILED(type, message) EV("error", ",'error':{'type':'" type "'," \
	"'message':'" message "'}")

#endif
