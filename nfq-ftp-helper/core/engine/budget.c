// SPDX-License-Identifier: GPL-2.0-or-later
#include "budget.h"

#define BURST 2000 /* milliseconds: a client that was quiet may do at once what it may do in this time */
#define TOKEN 1000 /* thousandths of a token */

static uint32_t rate_of(const struct policy *policy, enum rate rate)
{
	return rate == RATE_ANNOUNCEMENTS ? policy->client_rate : policy->client_tries;
}

/* What has come in since. A time to come is a damaged one. */
static void refill(struct client_budget *budget, const struct policy *policy, uint64_t now)
{
	const bool unknown = !budget->refilled || now < budget->refilled || now - budget->refilled > BURST;
	const uint64_t elapsed = unknown ? BURST : now - budget->refilled;

	for (unsigned int rate = 0; rate < RATES; rate++) {
		const uint64_t most = (uint64_t)BURST * rate_of(policy, rate);
		const uint64_t tokens = budget->tokens[rate] + elapsed * rate_of(policy, rate);

		budget->tokens[rate] = (uint32_t)(tokens < most ? tokens : most);
	}
	budget->refilled = now;
}

bool budget_spend(struct client_budget *budget, const struct policy *policy, enum rate rate, uint64_t now)
{
	refill(budget, policy, now);
	if (budget->tokens[rate] < TOKEN)
		return false;
	budget->tokens[rate] -= TOKEN;
	return true;
}
