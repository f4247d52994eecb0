/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's interface for conntrack helpers, of which there are three. What differs between them is here; which one
 * it is `probe' reads in the kernel's headers, and these macros say it:
 *
 *                               to 7.1   7.2    7.3
 *   COMPAT_HELPERS_HAVE_PORTS   yes      yes    no     no two of the kernel's own may have the same port
 *   COMPAT_HELPERS_ARE_COPIED   no       yes    yes    a copy is registered, and that is to be unregistered
 *
 * (Mainline's numbers: a distribution may be ahead of them.) Of struct nf_conntrack_helper all three differ:
 * nf_ct_helper_init() makes one. nfct_help_data() is asked nowhere: its answer is NULL, or worse, where a connection's
 * extension has gone since nfct_help() found it.
 */
#ifndef KMOD_COMPAT_H
#define KMOD_COMPAT_H

#include <linux/compiler.h>
#include <linux/in.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/timer.h>
#include <linux/types.h>
#include <net/netfilter/nf_conntrack_expect.h>
#include <net/netfilter/nf_conntrack_helper.h>

typedef int compat_help(struct sk_buff *skb, unsigned int protoff, struct nf_conn *ct, enum ip_conntrack_info ctinfo);

/* Rules assign the helper, nothing goes by its port. 21 is nf_conntrack_ftp's, and helpers of user space have none. */
#define COMPAT_PORT 0xffff

/* A helper for TCP, with a policy for each class of expectations. What is set besides is set afterwards. */
static inline void compat_helper_init(struct nf_conntrack_helper *helper, u8 family, const char *name,
				      const struct nf_conntrack_expect_policy *policies, unsigned int class_max,
				      compat_help *help)
{
#ifdef COMPAT_HELPERS_HAVE_PORTS
	nf_ct_helper_init(helper, family, IPPROTO_TCP, name, COMPAT_PORT, COMPAT_PORT, 0, policies, class_max, help,
			  NULL, THIS_MODULE);
#else
	nf_ct_helper_init(helper, family, IPPROTO_TCP, name, policies, class_max, help, NULL, THIS_MODULE);
#endif
}

/* @registered, as many as @helpers, is what compat_helpers_unregister() wants. Return: 0, or a negative errno. */
static inline int compat_helpers_register(struct nf_conntrack_helper *helpers, unsigned int number,
					  struct nf_conntrack_helper **registered)
{
#ifdef COMPAT_HELPERS_ARE_COPIED
	return nf_conntrack_helpers_register(helpers, number, registered);
#else
	registered[0] = helpers;
	return nf_conntrack_helpers_register(helpers, number);
#endif
}

static inline void compat_helpers_unregister(struct nf_conntrack_helper **registered, unsigned int number)
{
#ifdef COMPAT_HELPERS_ARE_COPIED
	nf_conntrack_helpers_unregister(registered, number);
#else
	nf_conntrack_helpers_unregister(registered[0], number);
#endif
}

/*
 * Is this the helper whose function @help is? Where helpers are copied, the pointer is __rcu, and NULL once the helper
 * has been unregistered: rules and connections keep a copy that does nothing any more.
 */
static inline bool compat_helper_is(const struct nf_conntrack_helper *helper, compat_help *help)
{
	return (__force compat_help *)READ_ONCE(helper->help) == help;
}

/*
 * Has it been used or taken back, or has its time run out? Where the kernel only marks such a one, it is in its lists
 * until that clears them; elsewhere as long as its timer waits for the lock, and that keeps nobody from taking its control
 * connection away. Under nf_conntrack_expect_lock.
 */
static inline bool compat_expect_is_over(const struct nf_conntrack_expect *exp)
{
#ifdef NF_CT_EXPECT_DEAD
	return nf_ct_exp_is_expired(exp);
#else
	return !timer_pending(&exp->timeout);
#endif
}

/* When its time runs out, in jiffies of 32 bits. */
static inline u32 compat_expect_until(const struct nf_conntrack_expect *exp)
{
#ifdef NF_CT_EXPECT_DEAD
	return READ_ONCE(exp->timeout);
#else
	return (u32)exp->timeout.expires;
#endif
}

/* It does so many jiffies later, or earlier, unless it is over: where there is a timer, that is not pending then. */
static inline void compat_expect_prolong(struct nf_conntrack_expect *exp, s32 more)
{
#ifdef NF_CT_EXPECT_DEAD
	WRITE_ONCE(exp->timeout, READ_ONCE(exp->timeout) + (u32)more);
#else
	mod_timer_pending(&exp->timeout, exp->timeout.expires + (unsigned long)(long)more);
#endif
}

#endif
