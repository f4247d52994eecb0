/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * module - the kernel's modules, ours among them, as /sys/module and /lib/modules show them.
 */
#ifndef HOST_MODULE_H
#define HOST_MODULE_H

#include <stdbool.h>

/* Ours, of mode kmod. */
#define MODULE_NAME "nf_conntrack_nfqftp"

/* Where its parameters are, for messages. */
#define MODULE_PARAMETERS "/sys/module/" MODULE_NAME "/parameters"

/* Is it loaded, or built in? */
bool module_is_loaded(const char *name);

/* Is there such a module for the running kernel, which could be loaded? */
bool module_exists(const char *name);

/* A parameter of ours, which is a number. Return: 0, or a negative errno. */
int module_parameter(const char *parameter, long long *value);

#endif
