// SPDX-License-Identifier: GPL-2.0
/*
 * An adapter's knobs: one file each in its debugfs folder, read and written at
 * run time. A fault knob counts from the moment it is written.
 */
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/rtnetlink.h>
#include <linux/uaccess.h>
#include "sim.h"

#define MAX_DELAY_US	(10 * USEC_PER_SEC)
#define MAX_STATS_MS	(3600 * MSEC_PER_SEC)

enum knob_kind {
	KNOB_NUMBER,
	KNOB_FLAG,		/* 0 or 1 */
	KNOB_ERRNO,		/* 0, a number or a name */
	KNOB_CPU,		/* -1 or an online CPU */
	KNOB_PORT,		/* -1 or a port */
	KNOB_PORTS,		/* mask of ports */
	KNOB_LIE,
};

struct knob_desc {
	const char *name;
	enum knob_kind kind;
	size_t offset;
	u32 max;
};

#define KNOB(field, k, m) {					\
	.name = #field, .kind = k,				\
	.offset = offsetof(struct sim_knobs, field), .max = m,	\
}

static const struct knob_desc descs[] = {
	KNOB(pipeline_cpu, KNOB_CPU, 0),
	KNOB(host_cpu, KNOB_CPU, 0),
	KNOB(capacity, KNOB_NUMBER, SIM_MAX_ENTRIES),
	KNOB(bind_rate, KNOB_NUMBER, 1000000),
	KNOB(prio_range, KNOB_NUMBER, U32_MAX),
	KNOB(stats_ms, KNOB_NUMBER, MAX_STATS_MS),
	KNOB(stats_lie, KNOB_LIE, 0),
	KNOB(link_down, KNOB_PORTS, 0),
	KNOB(fail_bind, KNOB_ERRNO, 0),
	KNOB(fail_unbind, KNOB_ERRNO, 0),
	KNOB(fail_replace, KNOB_ERRNO, 0),
	KNOB(fail_destroy, KNOB_ERRNO, 0),
	KNOB(fail_stats, KNOB_ERRNO, 0),
	KNOB(fail_port, KNOB_PORT, 0),
	KNOB(fail_count, KNOB_NUMBER, U32_MAX),
	KNOB(delay_bind_us, KNOB_NUMBER, MAX_DELAY_US),
	KNOB(delay_replace_us, KNOB_NUMBER, MAX_DELAY_US),
	KNOB(delay_destroy_us, KNOB_NUMBER, MAX_DELAY_US),
	KNOB(delay_stats_us, KNOB_NUMBER, MAX_DELAY_US),
	KNOB(bind_silent, KNOB_FLAG, 0),
	KNOB(wants_rtnl, KNOB_FLAG, 0),
};

static const char * const lies[SIM_LIE_MAX] = {
	[SIM_LIE_OFF] = "off",
	[SIM_LIE_ZERO] = "zero",
	[SIM_LIE_BUSY] = "busy",
	[SIM_LIE_DOUBLE] = "double",
	[SIM_LIE_BACKWARDS] = "backwards",
};

void sim_knobs_init(struct sim_adapter *ad)
{
	const struct sim_profile *p = ad->profile;

	ad->knob = (struct sim_knobs){
		.pipeline_cpu = -1,
		.host_cpu = -1,
		.capacity = p->capacity,
		.bind_rate = p->bind_rate,
		.prio_range = p->ft_prio_range,
		.stats_ms = p->stats_ms,
		.fail_port = -1,
		.wants_rtnl = p->takes_block && !p->unlocked,
	};
}

/* --- what the other files ask --- */

/**
 * sim_knobs_fault() - is this call to fail?
 * @port: whose call
 * @knob: the fault's knob, of the port's adapter
 *
 * Return: 0 or the negative errno that was asked for.
 */
int sim_knobs_fault(struct sim_port *port, const u32 *knob)
{
	struct sim_adapter *ad = port->adapter;
	int only = READ_ONCE(ad->knob.fail_port);
	u32 count = READ_ONCE(ad->knob.fail_count);
	u32 err = READ_ONCE(*knob);

	lockdep_assert_held(&ad->lock);
	if (!err || ad->dying || (only >= 0 && only != port->index))
		return 0;
	if (count && atomic_inc_return(&ad->fails) > count)
		return 0;
	return -(int)err;
}

void sim_knobs_delay(const u32 *knob)
{
	u32 us = READ_ONCE(*knob);

	if (us)
		usleep_range(us, us + us / 8 + 1);
}

/**
 * sim_errname() - an errno's name
 * @err: positive errno
 * @buf: receives it, where the kernel knows names; else the number
 * @size: of @buf
 *
 * Return: @buf.
 */
const char *sim_errname(int err, char *buf, size_t size)
{
	snprintf(buf, size, "%pe", ERR_PTR(-err));
	if (buf[0] == '-')
		memmove(buf, buf + 1, strlen(buf));
	return buf;
}

/* --- reading and writing --- */

static struct sim_adapter *adapter_of(struct file *file)
{
	return file->f_inode->i_private;
}

/* Which knob a file is: its name is unique in the folder. */
static const struct knob_desc *desc_of(struct file *file)
{
	const char *name = file->f_path.dentry->d_name.name;
	int i;

	for (i = 0; i < ARRAY_SIZE(descs); i++)
		if (!strcmp(descs[i].name, name))
			return &descs[i];
	return NULL;
}

static ssize_t knob_read(struct file *file, char __user *ubuf, size_t count,
			 loff_t *pos)
{
	struct sim_adapter *ad = adapter_of(file);
	const struct knob_desc *d = desc_of(file);
	char text[32], name[16];
	u32 value;
	int len;

	value = READ_ONCE(*(u32 *)((void *)&ad->knob + d->offset));
	switch (d->kind) {
	case KNOB_CPU:
	case KNOB_PORT:
		len = snprintf(text, sizeof(text), "%d\n", (int)value);
		break;
	case KNOB_PORTS:
		len = snprintf(text, sizeof(text), "0x%x\n", value);
		break;
	case KNOB_LIE:
		len = snprintf(text, sizeof(text), "%s\n", lies[value]);
		break;
	case KNOB_ERRNO:
		len = snprintf(text, sizeof(text), "%s\n",
			       value ? sim_errname(value, name, sizeof(name)) : "0");
		break;
	default:
		len = snprintf(text, sizeof(text), "%u\n", value);
		break;
	}
	return simple_read_from_buffer(ubuf, count, pos, text, len);
}

static int parse_errno(const char *text, u32 *value)
{
	char name[16];
	u32 err;

	if (!kstrtou32(text, 10, value))
		return *value < MAX_ERRNO ? 0 : -ERANGE;
	for (err = 1; err < 134; err++) {
		if (!strcmp(text, sim_errname(err, name, sizeof(name)))) {
			*value = err;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_index(const char *text, u32 *value, u32 limit)
{
	int index;

	if (kstrtoint(text, 10, &index) || index < -1 || index >= (int)limit)
		return -EINVAL;
	*value = index;
	return 0;
}

static int parse(const struct sim_adapter *ad, const struct knob_desc *d,
		 const char *text, u32 *value)
{
	const char *name = ad->name;
	int i;

	switch (d->kind) {
	case KNOB_NUMBER:
		if (!kstrtou32(text, 0, value) && *value <= d->max)
			return 0;
		sim_error("%s/%s: '%s' is not a number from 0 to %u", name,
			  d->name, text, d->max);
		return -EINVAL;
	case KNOB_FLAG:
		if (!kstrtou32(text, 10, value) && *value <= 1)
			return 0;
		sim_error("%s/%s: '%s' is not 0 or 1", name, d->name, text);
		return -EINVAL;
	case KNOB_ERRNO:
		if (!parse_errno(text, value))
			return 0;
		sim_error("%s/%s: '%s' is not 0, an error number or a name as EINVAL",
			  name, d->name, text);
		return -EINVAL;
	case KNOB_CPU:
		if (!parse_index(text, value, nr_cpu_ids) &&
		    ((int)*value < 0 || cpu_online(*value)))
			return 0;
		sim_error("%s/%s: '%s' is not -1 or an online CPU", name,
			  d->name, text);
		return -EINVAL;
	case KNOB_PORT:
		if (!parse_index(text, value, ad->n_ports))
			return 0;
		sim_error("%s/%s: '%s' is not -1 or a port from 0 to %u", name,
			  d->name, text, ad->n_ports - 1);
		return -EINVAL;
	case KNOB_PORTS:
		if (!kstrtou32(text, 0, value) &&
		    !(*value & ~(u32)GENMASK_ULL(ad->n_ports - 1, 0)))
			return 0;
		sim_error("%s/%s: '%s' is not a mask of %u ports", name,
			  d->name, text, ad->n_ports);
		return -EINVAL;
	case KNOB_LIE:
		for (i = 0; i < SIM_LIE_MAX; i++) {
			if (!strcmp(text, lies[i])) {
				*value = i;
				return 0;
			}
		}
		sim_error("%s/%s: '%s' is none of off, zero, busy, double, backwards",
			  name, d->name, text);
		return -EINVAL;
	}
	return -EINVAL;
}

static void set_links(struct sim_adapter *ad)
{
	int i;

	rtnl_lock();
	for (i = 0; i < ad->n_ports; i++)
		sim_port_link(&ad->port[i]);
	rtnl_unlock();
}

static ssize_t knob_write(struct file *file, const char __user *ubuf,
			  size_t count, loff_t *pos)
{
	struct sim_adapter *ad = adapter_of(file);
	const struct knob_desc *d = desc_of(file);
	char text[32];
	ssize_t err;
	u32 value;

	err = sim_read_line(text, sizeof(text), ubuf, count, d->name);
	if (err < 0)
		return err;
	err = parse(ad, d, text, &value);
	if (err)
		return err;

	mutex_lock(&ad->lock);
	WRITE_ONCE(*(u32 *)((void *)&ad->knob + d->offset), value);
	if (!strncmp(d->name, "fail_", 5))
		atomic_set(&ad->fails, 0);
	mutex_unlock(&ad->lock);
	if (d->kind == KNOB_PORTS)
		set_links(ad);
	*pos += count;
	return count;
}

static const struct file_operations knob_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = knob_read,
	.write = knob_write,
};

static ssize_t reset_write(struct file *file, const char __user *ubuf,
			   size_t count, loff_t *pos)
{
	struct sim_adapter *ad = adapter_of(file);
	char text[32];
	ssize_t err;

	err = sim_read_line(text, sizeof(text), ubuf, count, "reset");
	if (err < 0)
		return err;
	if (strcmp(text, "1")) {
		sim_error("%s/reset: '%s' is not 1", ad->name, text);
		return -EINVAL;
	}
	mutex_lock(&ad->lock);
	sim_table_reset(ad);
	mutex_unlock(&ad->lock);
	*pos += count;
	return count;
}

static const struct file_operations reset_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = reset_write,
};

void sim_knobs_add(struct sim_adapter *ad)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(descs); i++)
		debugfs_create_file(descs[i].name, 0600, ad->dir, ad,
				    &knob_fops);
	debugfs_create_file("reset", 0200, ad->dir, ad, &reset_fops);
}
