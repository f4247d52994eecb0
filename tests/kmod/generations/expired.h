/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interface from Linux 7.2 on: an expectation has the jiffies at which its time runs out, of 32 bits; one that is over is marked, and stays in
 * its lists for a while.
 */
#ifndef FIXTURE_EXPECT_H
#define FIXTURE_EXPECT_H

#define NF_CT_EXPECT_DEAD 0x8
#define FIXTURE_NOW	  0xfffffff0u /* jiffies */

struct nf_conntrack_expect {
	u32 timeout;
	unsigned int flags;
};

static inline bool nf_ct_exp_is_expired(const struct nf_conntrack_expect *exp)
{
	return exp->flags & NF_CT_EXPECT_DEAD || (s32)(READ_ONCE(exp->timeout) - FIXTURE_NOW) <= 0;
}

static inline void fixture_expect(struct nf_conntrack_expect *exp, u32 until, bool over)
{
	*exp = (struct nf_conntrack_expect){ .timeout = until, .flags = over ? NF_CT_EXPECT_DEAD : 0 };
}

#endif
