/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * namespace - which user namespace this process is in, and whose its network namespace is.
 */
#ifndef HOST_NAMESPACE_H
#define HOST_NAMESPACE_H

#include <stdbool.h>

/* Is it the machine's first? A rootless container has one of its own. */
bool namespace_user_is_first(void);

/* Does this network namespace belong to the first one? Also where that cannot be told. */
bool namespace_net_is_first_users(void);

/**
 * namespace_enter_net - move to a new network namespace
 * @alike: filled in: does it belong to the first user namespace where the present one does, and to another where that does not?
 *
 * For a process that does nothing else afterwards: it may be another user then. It takes CAP_SYS_ADMIN, or a kernel that lets everybody make a user
 * namespace.
 *
 * Return: 0, or a negative errno.
 */
int namespace_enter_net(bool *alike);

#endif
