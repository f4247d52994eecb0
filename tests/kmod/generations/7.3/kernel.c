// SPDX-License-Identifier: GPL-2.0-or-later
#define FAMILY(helper) ((helper)->nfproto)
#include "generations/copied.h"

void nf_ct_helper_init(struct nf_conntrack_helper *helper, u8 l3num, u16 protonum, const char *name,
		       const struct nf_conntrack_expect_policy *exp_pol, u32 expect_class_max,
		       int (*help)(struct sk_buff *, unsigned int, struct nf_conn *, enum ip_conntrack_info),
		       int (*from_nlattr)(struct nlattr *, struct nf_conn *), struct module *module)
{
	(void)from_nlattr;
	memset(helper, 0, sizeof(*helper));
	helper->nfproto = l3num;
	helper->l4proto = (u8)protonum;
	helper->help = help;
	helper->me = module;
	snprintf(helper->name, sizeof(helper->name), "%s", name);
	memcpy(helper->expect_policy, exp_pol, (expect_class_max + 1) * sizeof(*exp_pol));
}

struct kernel_view kernel_look(const struct nf_conntrack_helper *helper)
{
	return (struct kernel_view){ helper->nfproto, helper->l4proto, KERNEL_PORT_NONE,
				     helper->expect_policy[0].max_expected, helper->expect_policy[0].timeout };
}
