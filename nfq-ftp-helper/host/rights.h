/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rights - what this process may do.
 */
#ifndef HOST_RIGHTS_H
#define HOST_RIGHTS_H

#include <stdbool.h>

/* Has it CAP_NET_ADMIN: can rules, queues and conntrack be reached? */
bool rights_net_admin(void);

/* Has it CAP_SYS_ADMIN: can it make a network namespace? */
bool rights_sys_admin(void);

#endif
