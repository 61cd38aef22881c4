/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>

#include "control/op.h"

static int wrong(struct thaw_job *job, const char *key, const char *should)
{
	return thaw_err_set(&job->err, -EINVAL, "\"%s\" must be %s", key, should);
}

int thaw_param_bool(struct thaw_job *job, const char *key, bool *ret)
{
	const json_t *value = json_object_get(job->req, key);

	if (!value)
		return 0;
	if (!json_is_boolean(value))
		return wrong(job, key, "true or false");
	*ret = json_is_true(value);
	return 0;
}

int thaw_param_u64(struct thaw_job *job, const char *key, uint64_t *ret)
{
	const json_t *value = json_object_get(job->req, key);

	if (!value)
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return wrong(job, key, "a whole number, not negative");
	*ret = (uint64_t)json_integer_value(value);
	return 0;
}

int thaw_param_text(struct thaw_job *job, const char *key, const char **ret)
{
	const json_t *value = json_object_get(job->req, key);

	if (!value)
		return 0;
	if (!json_is_string(value))
		return wrong(job, key, "a string");
	*ret = json_string_value(value);
	return 0;
}

int thaw_param_need_text(struct thaw_job *job, const char *key, const char **ret)
{
	if (!json_object_get(job->req, key))
		return thaw_err_set(&job->err, -EINVAL, "\"%s\" is missing", key);
	return thaw_param_text(job, key, ret);
}
