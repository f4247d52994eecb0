// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the module does with kmod/compat.h, on a kernel in small. Says nothing and returns 0 where that is right; the first thing that
 * is not, else. Its argument is the port that its helpers have to have.
 */
#include "compat.h"
#include "kernel.h"

#include <stdio.h>
#include <stdlib.h>

#define NAME "nfq-ftp"

#define EXPECT(condition)                                                                                              \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			printf("not so: %s\n", #condition);                                                            \
			exit(1);                                                                                       \
		}                                                                                                      \
	} while (0)

static int our_help(struct sk_buff *skb, unsigned int protoff, struct nf_conn *ct, enum ip_conntrack_info ctinfo)
{
	return skb && protoff && ct && ctinfo;
}

static int their_help(struct sk_buff *skb, unsigned int protoff, struct nf_conn *ct, enum ip_conntrack_info ctinfo)
{
	return !our_help(skb, protoff, ct, ctinfo);
}

static int our_to_nlattr(struct sk_buff *skb, const struct nf_conn *ct)
{
	return skb && ct;
}

static const struct nf_conntrack_expect_policy policy = { .max_expected = 4, .timeout = 300 };
static const u8 families[] = { 2, 10 };
static struct nf_conntrack_helper helpers[2];
static struct nf_conntrack_helper *registered[2];

static int come(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		compat_helper_init(&helpers[i], families[i], NAME, &policy, 0, our_help);
		helpers[i].to_nlattr = our_to_nlattr;
	}
	return compat_helpers_register(helpers, 2, registered);
}

static void expect_ours(struct nf_conntrack_helper *helper, u8 family, unsigned int port)
{
	struct kernel_view seen;

	EXPECT(helper);
	seen = kernel_look(helper);
	EXPECT(seen.family == family && seen.protocol == IPPROTO_TCP && seen.port == port);
	EXPECT(seen.max_expected == policy.max_expected && seen.timeout == policy.timeout);
	EXPECT(helper->me == THIS_MODULE && helper->to_nlattr == our_to_nlattr);
	EXPECT(compat_helper_is(helper, our_help) && !compat_helper_is(helper, their_help));
}

/* Across the end of the clock's 32 bits. One that is over is not expected anew by having its time changed. */
static void times(void)
{
	struct nf_conntrack_expect exp;

	fixture_expect(&exp, 0xfffffff8, false);
	EXPECT(compat_expect_until(&exp) == 0xfffffff8 && !compat_expect_is_over(&exp));
	compat_expect_prolong(&exp, 0x100);
	EXPECT(compat_expect_until(&exp) == 0xf8 && !compat_expect_is_over(&exp));
	compat_expect_prolong(&exp, -0xf0);
	EXPECT(compat_expect_until(&exp) == 8 && !compat_expect_is_over(&exp));
	fixture_expect(&exp, 0xfffffff8, true);
	compat_expect_prolong(&exp, 0x100);
	EXPECT(compat_expect_is_over(&exp));
}

int main(int argc, char *argv[])
{
	const unsigned int port = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) : 0;
	struct nf_conntrack_helper *kept;

	times();
	/* Twice: nothing is left of the first time that would be in the way. */
	for (unsigned int time = 0; time < 2; time++) {
		EXPECT(come() == 0);
		for (unsigned int i = 0; i < 2; i++)
			expect_ours(kernel_find(NAME, families[i]), families[i], port);
		kept = kernel_find(NAME, families[0]);
		compat_helpers_unregister(registered, 2);
		EXPECT(!kernel_find(NAME, families[0]) && !kernel_find(NAME, families[1]));
		/* A connection that has kept its helper, where they are copied, has a dead one. */
		EXPECT(kept == &helpers[0] || !compat_helper_is(kept, our_help));
	}
	return 0;
}
