/* Answers that are files, sent as they are read: one of any size takes one block of memory. */
#ifndef FCGI_REPLY_FILE_H
#define FCGI_REPLY_FILE_H

#include "fcgi/request.h"

struct file_reply {
	int fd;		  /* closed in any case */
	const char *type; /* sent as it is where it can be a header's value */
	const char *name; /* for the client to save it under: the last part of it counts */
	bool whole;	  /* all of the name counts, slashes too */
	bool shown;	  /* inline, not as an attachment */
};

/* Sends the file, from its beginning, with the headers of a download. */
enum rc reply_file(struct request *rq, const struct file_reply *f);

/* The value of Content-Disposition: the last part of NAME in plain ASCII, and encoded where it is
 * more than that. */
const char *disposition(struct arena *a, bool shown, const char *name);

#endif
