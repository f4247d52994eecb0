/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interface up to Linux 7.1: a helper refers to its policy, and has a tuple with its port in it. It is registered itself.
 */
#ifndef FIXTURE_HELPER_H
#define FIXTURE_HELPER_H

#define NAME_MAX_LENGTH 16

struct nf_conntrack_expect_policy {
	unsigned int max_expected;
	unsigned int timeout;
};

struct nf_conntrack_helper {
	char name[NAME_MAX_LENGTH]; /* as rules call it */
	struct module *me;
	const struct nf_conntrack_expect_policy *expect_policy;
	struct {
		u16 l3num, port;
		u8 protonum;
	} tuple;

	/* What becomes of a packet: a
	   verdict (* for the hook *) */
	int (*help)(struct sk_buff *skb, unsigned int protoff, struct nf_conn *ct,
		    enum ip_conntrack_info conntrackinfo);

	int (*to_nlattr)(struct sk_buff *skb, const struct nf_conn *ct);
};

struct nf_conn_help {
	/* The helper,
	 * if any */
	struct nf_conntrack_helper __rcu *helper;
	u8 expecting[4];

	/* its own */
	char data[32] __attribute__((aligned(8)));
};

void nf_ct_helper_init(struct nf_conntrack_helper *helper, u16 l3num, u16 protonum, const char *name, u16 default_port,
		       u16 spec_port, u32 id, const struct nf_conntrack_expect_policy *exp_pol, u32 expect_class_max,
		       int (*help)(struct sk_buff *skb, unsigned int protoff, struct nf_conn *ct,
				   enum ip_conntrack_info ctinfo),
		       int (*from_nlattr)(struct nlattr *attr, struct nf_conn *ct), struct module *module);

int nf_conntrack_helpers_register(struct nf_conntrack_helper *, unsigned int);
void nf_conntrack_helpers_unregister(struct nf_conntrack_helper *, unsigned int);

#endif
