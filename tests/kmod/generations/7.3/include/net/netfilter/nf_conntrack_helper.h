/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interface of Linux 7.3: as 7.2's, but a helper has protocols in place of a tuple, and no port.
 */
#ifndef FIXTURE_HELPER_H
#define FIXTURE_HELPER_H

#define NAME_MAX_LENGTH 16
#define CLASSES_MAX	4

struct nf_conntrack_expect_policy {
	unsigned int max_expected;
	unsigned int timeout;
};

struct nf_conntrack_helper {
	char name[NAME_MAX_LENGTH]; /* as rules call it */
	struct module *me;
	struct nf_conntrack_expect_policy expect_policy[CLASSES_MAX];
	u8 nfproto;
	u8 l4proto;

	int __rcu (*help)(struct sk_buff *skb, unsigned int protoff, struct nf_conn *ct,
			  enum ip_conntrack_info conntrackinfo);

	int (*to_nlattr)(struct sk_buff *skb, const struct nf_conn *ct);
};

struct nf_conn_help {
	struct nf_conntrack_helper __rcu *helper; /* a copy, which may be dead */
	u8 expecting[CLASSES_MAX];
	char data[32] __attribute__((aligned(8)));
};

void nf_ct_helper_init(struct nf_conntrack_helper *helper, u8 l3num, u16 protonum, const char *name,
		       const struct nf_conntrack_expect_policy *exp_pol, u32 expect_class_max,
		       int (*help)(struct sk_buff *skb, unsigned int protoff, struct nf_conn *ct,
				   enum ip_conntrack_info ctinfo),
		       int (*from_nlattr)(struct nlattr *attr, struct nf_conn *ct), struct module *module);

int nf_conntrack_helpers_register(struct nf_conntrack_helper *, unsigned int, struct nf_conntrack_helper **);
void nf_conntrack_helpers_unregister(struct nf_conntrack_helper **, unsigned int);

#endif
