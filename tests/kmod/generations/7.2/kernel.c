// SPDX-License-Identifier: GPL-2.0-or-later
#define FAMILY(helper) ((helper)->tuple.l3num)
#include "generations/copied.h"

void nf_ct_helper_init(struct nf_conntrack_helper *helper, u16 l3num, u16 protonum, const char *name, u16 default_port,
		       u16 spec_port, u32 id, const struct nf_conntrack_expect_policy *exp_pol, u32 expect_class_max,
		       int (*help)(struct sk_buff *, unsigned int, struct nf_conn *, enum ip_conntrack_info),
		       int (*from_nlattr)(struct nlattr *, struct nf_conn *), struct module *module)
{
	(void)from_nlattr;
	memset(helper, 0, sizeof(*helper));
	helper->tuple.l3num = l3num;
	helper->tuple.port = spec_port;
	helper->tuple.protonum = (u8)protonum;
	helper->help = help;
	helper->me = module;
	if (spec_port == default_port)
		snprintf(helper->name, sizeof(helper->name), "%s", name);
	else
		snprintf(helper->name, sizeof(helper->name), "%s-%u", name, id);
	memcpy(helper->expect_policy, exp_pol, (expect_class_max + 1) * sizeof(*exp_pol));
}

struct kernel_view kernel_look(const struct nf_conntrack_helper *helper)
{
	return (struct kernel_view){ helper->tuple.l3num, helper->tuple.protonum, helper->tuple.port,
				     helper->expect_policy[0].max_expected, helper->expect_policy[0].timeout };
}
