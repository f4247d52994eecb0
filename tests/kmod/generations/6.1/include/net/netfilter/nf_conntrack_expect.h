/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interface up to Linux 7.1: an expectation has a timer, which is not pending when it is over.
 */
#ifndef FIXTURE_EXPECT_H
#define FIXTURE_EXPECT_H

struct timer_list {
	unsigned long expires;
	bool pending;
};

struct nf_conntrack_expect {
	struct timer_list timeout;
};

static inline int timer_pending(const struct timer_list *timer)
{
	return timer->pending;
}

static inline int mod_timer_pending(struct timer_list *timer, unsigned long expires)
{
	if (timer->pending)
		timer->expires = expires;
	return timer->pending;
}

static inline void fixture_expect(struct nf_conntrack_expect *exp, u32 until, bool over)
{
	*exp = (struct nf_conntrack_expect){ { .expires = until, .pending = !over } };
}

#endif
