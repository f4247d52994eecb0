/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * module - the kernel's modules, ours among them, as /sys/module and /lib/modules show them.
 */
#ifndef HOST_MODULE_H
#define HOST_MODULE_H

#include <stdbool.h>
#include <stdint.h>

/* Ours, of mode kmod. */
#define MODULE_NAME "nf_conntrack_nfqftp"

/* Where the kernel shows its modules; and where the parameters of ours are, for messages. */
#define MODULE_DIRECTORY  "/sys/module/"
#define MODULE_PARAMETERS MODULE_DIRECTORY MODULE_NAME "/parameters"

/* Is it loaded, or built in? */
bool module_is_loaded(const char *name);

/* What decides how a module can be had here. */
struct module_means {
	bool kernel_takes; /* the kernel can load modules at all */
	bool container;	   /* this is one: its kernel is the host's, and so are the modules */
	bool exists;	   /* there is one for this kernel */
	bool ours;	   /* it is this project's, and built from its source */
	bool supported;	   /* this kernel is none that is older than what its source is for */
	bool headers;	   /* what modules are built with is installed */
	char release[65];  /* the kernel's */
};

#define MODULE_WAY_MAX 200

/* How it can be had: what to do, without a full stop. Return: @text. */
const char *module_way_of(const char *name, const struct module_means *means, char text[MODULE_WAY_MAX]);

/* The same, on this machine. */
const char *module_way(const char *name, char text[MODULE_WAY_MAX]);

/* Is it not loaded, and could be, here or on the host of this container? */
bool module_could_be_loaded(const char *name);

/* A parameter of ours, which is a number. Return: 0, or a negative errno. */
int module_parameter(const char *parameter, long long *value);

/* Of so many data connections that conntrack lets be expected: how many are for ours to expect by itself; 0: it does not do that, or is not there. */
uint32_t module_expectations(uint32_t allowed);

/* To change one, for which no rights are needed any more: a file. Return: or a negative errno; -ENOENT: it has none of this name. */
int module_open_parameter(const char *parameter);

/* Return: 0, or a negative errno; @file's own, where it is one. */
int module_write_parameter(int file, long long value);

/* What it has counted, as a file. Return: or a negative errno. */
int module_counters_open(void);

#define MODULE_COUNTERS_MAX 4096

/* All of it, a line each. @file: or a negative errno. Return: 0, or a negative errno. */
int module_counters_read(int file, char text[MODULE_COUNTERS_MAX]);

/* One of these lines. Return: whether there is one of this name. */
bool module_counter(const char *text, const char *name, uint64_t *value);

#endif
