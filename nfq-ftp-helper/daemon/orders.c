// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/session/unwatched.h"
#include "worker_state.h"

/* What has been changed since the last tick. The kernel's limit is this machine's, and no setting. */
static void take_settings(struct worker *worker)
{
	struct policy *policy = &worker->engine.policy;
	const uint32_t expectations = policy->expectations;
	struct settings news;

	if (!settings_news(&worker->control->settings, &worker->settings, &news))
		return;
	*policy = news.policy;
	policy->expectations = expectations;
	ctnetlink_set_expect_timeout(&worker->ctnetlink, news.expect_timeout);
}

/*
 * What passed while there were no rules has not been seen. Before they come for the first time nothing is seen of any connection: what there was
 * is in doubt since the start, and no less. Who looks at them comes to know of new ones somewhat later than their first packets come.
 */
static void take_doubts(struct worker *worker, uint64_t now)
{
	const unsigned int unwatched = atomic_load_explicit(&worker->control->unwatched, memory_order_acquire);
	const unsigned int begun = atomic_load_explicit(&worker->control->begun, memory_order_acquire);

	if (begun != worker->begun)
		session_absent(&worker->engine, now);
	worker->begun = begun;
	if (unwatched == atomic_load_explicit(&worker->doubted, memory_order_relaxed))
		return;
	unwatched_sessions(&worker->engine, now);
	atomic_store_explicit(&worker->doubted, unwatched, memory_order_release);
}

void worker_take_orders(struct worker *worker, uint64_t now)
{
	take_settings(worker);
	take_doubts(worker, now);
}
