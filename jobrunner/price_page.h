/* Reading prices out of a provider's price page, which is made for people. */
#ifndef JOBRUNNER_PRICE_PAGE_H
#define JOBRUNNER_PRICE_PAGE_H

#include <jansson.h>
#include "core/arena.h"

/* The words of an HTML page: without scripts, styles and tags, white space collapsed. */
char *page_text(struct arena *a, const char *html, size_t n);
/* Dollars a million tokens, in and out, of the first label (NULL at the end) that has both. */
bool page_model_price(const char *text, const char *const *labels, double *in, double *out);
/* Dollars of a plan. */
bool page_plan_price(const char *text, const char *const *labels, double *dollars);
/* Replaces the prices of the rows of PART (of "anthropic" or "openai") by what TEXT says. What is
 * below 0 or above 1000 dollars is ignored. */
void page_apply(json_t *part, const char *provider, const char *text);
/* "<provider>-registry-" and the first 10 hex digits of the digest of the visible prices. */
const char *page_version(struct arena *a, const json_t *part, const char *provider);

#endif
