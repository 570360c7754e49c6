// SPDX-License-Identifier: GPL-2.0
/*
 * The maker: debugfs files that make and remove adapters, and say why not.
 *
 *   new_adapter  write: NAME [ports=N] [profile=P] [host=NAMES] [wire=NAMES]
 *                [netns=PID] [wire_netns=PID]
 *   del_adapter  write: NAME
 *   error        read: why the last write was refused
 *
 * NAMES is a pattern with one %d, or as many names as there are ports,
 * separated by commas. netns is that of a process; of the writer, if not given.
 */
#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <net/net_namespace.h>
#include "sim.h"

#define LINE_SIZE	1024
#define ERROR_SIZE	160

struct dentry *sim_dir;

static DEFINE_SPINLOCK(error_lock);
static char last_error[ERROR_SIZE];	/* under error_lock */

/* Tell the admin, where the errno of a write() cannot. */
void sim_error(const char *fmt, ...)
{
	char text[ERROR_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);

	spin_lock(&error_lock);
	strscpy(last_error, text, sizeof(last_error));
	spin_unlock(&error_lock);
	pr_info_ratelimited("%s: %s\n", KBUILD_MODNAME, text);
}

/**
 * sim_read_line() - take what was written to a file
 * @buf: receives it, without white space around it
 * @size: of @buf
 * @ubuf: from write()
 * @count: from write()
 * @what: the file, for the message
 *
 * Return: its length or a negative errno, explained by sim_error().
 */
ssize_t sim_read_line(char *buf, size_t size, const char __user *ubuf,
		      size_t count, const char *what)
{
	char *text;

	if (!capable(CAP_NET_ADMIN)) {
		sim_error("%s: needs CAP_NET_ADMIN", what);
		return -EPERM;
	}
	if (count >= size) {
		sim_error("%s: more than %zu characters", what, size - 1);
		return -EINVAL;
	}
	if (copy_from_user(buf, ubuf, count))
		return -EFAULT;
	buf[count] = '\0';
	if (strlen(buf) != count) {
		sim_error("%s: a zero byte in the text", what);
		return -EINVAL;
	}
	text = strim(buf);
	if (strchr(text, '\n')) {
		sim_error("%s: more than one line", what);
		return -EINVAL;
	}
	memmove(buf, text, strlen(text) + 1);
	return strlen(buf);
}

/* --- the line of new_adapter --- */

struct words {
	const char *ports;
	const char *profile;
	const char *host;
	const char *wire;
	const char *netns;
	const char *wire_netns;
};

static int split(char *line, struct words *w)
{
	const struct {
		const char *key;
		const char **value;
	} keys[] = {
		{ "ports", &w->ports },
		{ "profile", &w->profile },
		{ "host", &w->host },
		{ "wire", &w->wire },
		{ "netns", &w->netns },
		{ "wire_netns", &w->wire_netns },
	};
	char *word;
	int i;

	while ((word = strsep(&line, " \t"))) {
		char *value = strchr(word, '=');

		if (!*word)
			continue;
		if (value)
			*value++ = '\0';
		for (i = 0; i < ARRAY_SIZE(keys); i++)
			if (!strcmp(word, keys[i].key))
				break;
		if (i == ARRAY_SIZE(keys)) {
			sim_error("'%s' is none of ports, profile, host, wire, netns, wire_netns",
				  word);
			return -EINVAL;
		}
		if (!value || !*value) {
			sim_error("%s needs a value", word);
			return -EINVAL;
		}
		if (*keys[i].value) {
			sim_error("%s is given twice", word);
			return -EINVAL;
		}
		*keys[i].value = value;
	}
	return 0;
}

static int get_name(struct sim_spec *spec, const char *name)
{
	const char *c;

	if (!*name) {
		sim_error("the adapter needs a name");
		return -EINVAL;
	}
	for (c = name; *c; c++) {
		if ((isascii(*c) && isalnum(*c)) || *c == '_' || *c == '-')
			continue;
		sim_error("'%s': a name has letters, digits, '_' and '-'", name);
		return -EINVAL;
	}
	if (strscpy(spec->name, name, sizeof(spec->name)) < 0) {
		sim_error("'%s': a name has at most %u characters", name,
			  SIM_NAME_LEN - 1);
		return -ENAMETOOLONG;
	}
	/* The files that are beside the adapters' folders. */
	if (!strcmp(name, "error") || !strcmp(name, "new_adapter")) {
		sim_error("'%s' cannot be an adapter's name", name);
		return -EINVAL;
	}
	return 0;
}

static int get_ports(struct sim_spec *spec, const char *text)
{
	if (!text) {
		spec->n_ports = 2;
		return 0;
	}
	if (kstrtou8(text, 10, &spec->n_ports) || !spec->n_ports ||
	    spec->n_ports > SIM_MAX_PORTS) {
		sim_error("ports: '%s' is not a number from 1 to %u", text,
			  SIM_MAX_PORTS);
		return -EINVAL;
	}
	return 0;
}

static int get_profile(struct sim_spec *spec, const char *text)
{
	spec->profile = sim_profile_find(text ?: "mlx5-rep");
	if (spec->profile)
		return 0;
	sim_error("profile: '%s' is none of %s", text, sim_profile_names());
	return -EINVAL;
}

static int add_name(char to[IFNAMSIZ], const char *name, const char *what)
{
	if (strscpy(to, name, IFNAMSIZ) >= 0 && dev_valid_name(to) &&
	    !strchr(to, '%'))
		return 0;
	sim_error("%s: '%s' is not a name for a network device", what, name);
	return -EINVAL;
}

/* "eth%d": exactly that, so that it can be given to nobody's printf. */
static int expand(struct sim_spec *spec, char to[][IFNAMSIZ], const char *text,
		  const char *what)
{
	const char *percent = strchr(text, '%');
	char name[2 * IFNAMSIZ];
	int i, err;

	if (percent[1] != 'd' || strchr(percent + 1, '%') ||
	    strchr(text, ',')) {
		sim_error("%s: '%s': one %%d stands for the port's number", what,
			  text);
		return -EINVAL;
	}
	for (i = 0; i < spec->n_ports; i++) {
		snprintf(name, sizeof(name), "%.*s%d%s",
			 (int)min_t(long, percent - text, IFNAMSIZ), text, i,
			 percent + 2);
		err = add_name(to[i], name, what);
		if (err)
			return err;
	}
	return 0;
}

static int get_names(struct sim_spec *spec, char to[][IFNAMSIZ],
		     const char *text, const char *what)
{
	char *copy, *rest, *name;
	int n = 0, err = 0;

	if (strchr(text, '%'))
		return expand(spec, to, text, what);

	copy = kstrdup(text, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	rest = copy;
	while (!err && (name = strsep(&rest, ","))) {
		if (n < spec->n_ports)
			err = add_name(to[n], name, what);
		n++;
	}
	kfree(copy);
	if (!err && n != spec->n_ports) {
		sim_error("%s: %d names for %u ports", what, n, spec->n_ports);
		err = -EINVAL;
	}
	return err;
}

static int get_netns(struct net **net, const char *text, const char *what)
{
	pid_t pid;

	if (!text) {
		*net = get_net(current->nsproxy->net_ns);
		return 0;
	}
	if (kstrtoint(text, 10, &pid) || pid <= 0) {
		sim_error("%s: '%s' is not a process number", what, text);
		return -EINVAL;
	}
	*net = get_net_ns_by_pid(pid);
	if (IS_ERR(*net)) {
		sim_error("%s: there is no process %d", what, pid);
		return PTR_ERR(*net);
	}
	return 0;
}

static int get_all_names(struct sim_spec *spec, const struct words *w)
{
	char pattern[IFNAMSIZ + 4];
	int err;

	snprintf(pattern, sizeof(pattern), "%sp%%d", spec->name);
	err = get_names(spec, spec->host, w->host ?: pattern, "host");
	if (err)
		return err;
	snprintf(pattern, sizeof(pattern), "%sw%%d", spec->name);
	return get_names(spec, spec->wire, w->wire ?: pattern, "wire");
}

static int make_in_netns(struct sim_spec *spec, const struct words *w)
{
	int err;

	err = get_netns(&spec->host_net, w->netns, "netns");
	if (err)
		return err;
	err = get_netns(&spec->wire_net, w->wire_netns ?: w->netns, "wire_netns");
	if (!err) {
		err = sim_adapter_make(spec);
		put_net(spec->wire_net);
	}
	put_net(spec->host_net);
	return err;
}

static int make(char *line)
{
	struct words w = {};
	struct sim_spec *spec;
	char *name;
	int err;

	spec = kzalloc(sizeof(*spec), GFP_KERNEL);
	if (!spec)
		return -ENOMEM;
	name = strsep(&line, " \t");
	err = get_name(spec, name);
	if (!err && line)
		err = split(line, &w);
	if (!err)
		err = get_ports(spec, w.ports);
	if (!err)
		err = get_profile(spec, w.profile);
	if (!err)
		err = get_all_names(spec, &w);
	if (!err)
		err = make_in_netns(spec, &w);
	kfree(spec);
	return err;
}

/* --- files --- */

static ssize_t with_line(const char __user *ubuf, size_t count, loff_t *pos,
			 const char *what, int (*do_it)(char *line))
{
	char *line;
	ssize_t ret;

	line = kzalloc(LINE_SIZE, GFP_KERNEL);
	if (!line)
		return -ENOMEM;
	ret = sim_read_line(line, LINE_SIZE, ubuf, count, what);
	if (ret >= 0)
		ret = do_it(line);
	kfree(line);
	if (ret)
		return ret;
	*pos += count;
	return count;
}

static ssize_t new_adapter_write(struct file *file, const char __user *ubuf,
				 size_t count, loff_t *pos)
{
	return with_line(ubuf, count, pos, "new_adapter", make);
}

static int remove(char *line)
{
	return sim_adapter_remove(line);
}

static ssize_t del_adapter_write(struct file *file, const char __user *ubuf,
				 size_t count, loff_t *pos)
{
	return with_line(ubuf, count, pos, "del_adapter", remove);
}

static ssize_t error_read(struct file *file, char __user *ubuf, size_t count,
			  loff_t *pos)
{
	char text[ERROR_SIZE + 1];
	int len;

	spin_lock(&error_lock);
	len = snprintf(text, sizeof(text), "%s\n", last_error);
	spin_unlock(&error_lock);
	return simple_read_from_buffer(ubuf, count, pos, text, len);
}

static const struct file_operations new_adapter_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = new_adapter_write,
};

static const struct file_operations del_adapter_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = del_adapter_write,
};

static const struct file_operations error_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = error_read,
};

int sim_maker_init(void)
{
	sim_dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	if (IS_ERR(sim_dir)) {
		pr_err("%s: needs debugfs: %pe\n", KBUILD_MODNAME, sim_dir);
		return PTR_ERR(sim_dir);
	}
	debugfs_create_file("new_adapter", 0200, sim_dir, NULL,
			    &new_adapter_fops);
	debugfs_create_file("del_adapter", 0200, sim_dir, NULL,
			    &del_adapter_fops);
	debugfs_create_file("error", 0444, sim_dir, NULL, &error_fops);
	return 0;
}

/* After the adapters, whose folders are in the maker's. */
void sim_maker_exit(void)
{
	debugfs_remove(sim_dir);
}
