/* What model calls cost. The prices of a provider are those of the stored setting
 * usage.pricingRegistry, else the bundled ones (<share.dir>/prices.json). Costs are whole
 * millionths of a US dollar; prices are millionths of a dollar for a million tokens. */
#ifndef CORE_PRICE_H
#define CORE_PRICE_H

#include <jansson.h>
#include "core/ctx.h"

#define PRICE_SETTING "usage.pricingRegistry"
#define PRICE_VERSION_LOCAL "local"

/* The prices in force: {"providers":{"anthropic":P,"openai":P}} with P as the pricing snapshot of
 * the interface has it; every row is well-formed. In the arena of CX, free to be changed. Never
 * NULL: where nothing can be read, P has no rows. */
json_t *price_registry(struct ctx *cx);

/* The cost of a call and the key of the price it was taken from (in the arena of CX). INPUT counts
 * all tokens that went in; CACHE_WRITE and CACHE_READ say how many of them were written to and read
 * from a cache, which Anthropic prices at 1.25 and 0.1 of the input price and OpenAI as the rest.
 * Negative numbers count as 0. Ollama costs nothing. False where there is no price. */
bool price_cost(struct ctx *cx, const char *provider, const char *model, int64_t input,
    int64_t output, int64_t cache_write, int64_t cache_read, int64_t *cost_micros,
    const char **version);

/* Dollars a month of a Claude plan: pro, max_5x or max_20x. */
double price_plan_usd(struct ctx *cx, const char *plan);

#endif
