#!/bin/sh
# mount.thawfs SOURCE MOUNTPOINT [-sfnv] [-o OPT,...]      what mount(8) runs for `mount -t thawfs`
#
# Calls thawfs with the same options, without those that speak to fstab, mount or systemd only.
set -eu

die()
{
	echo "mount.thawfs: $*" >&2
	exit "${status:-1}"
}

usage()
{
	status=2
	die "usage: mount.thawfs SOURCE MOUNTPOINT [-sfnv] [-o OPT,...]"
}

[ $# -ge 2 ] || usage
source=$1
mountpoint=$2
shift 2

fake=
options=
while getopts sfnvo:t:N: letter; do
	case $letter in
	f) fake=yes ;;
	o) options=$options${options:+,}$OPTARG ;;
	s|n|v|t) ;;
	N) die "mounting in another namespace (-N) is not supported" ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -eq 0 ] || usage

# Splits at commas; a comma inside a value is not possible in fstab either.
kept=
set -f
IFS=,
for option in $options; do
	case $option in
	"") ;;
	defaults|rw|auto|noauto|nofail|_netdev|user|user=*|users|nouser|owner|group) ;;
	x-*|X-*|comment=*|loop|loop=*) ;;
	# libfuse sets both on every mount.
	nodev|nosuid) ;;
	# The usual state, which `defaults` or `user,exec` may spell out.
	exec|async|relatime|silent) ;;
	*) kept=$kept${kept:+,}$option ;;
	esac
done
unset IFS
set +f

# Next to this script's own prefix, also when it was linked into /sbin.
self=$(readlink -f -- "$0")
thawfs=${self%/*}/../bin/thawfs
[ -x "$thawfs" ] || thawfs=$(command -v thawfs) || die "the thawfs program was not found"

[ -z "$fake" ] || exit 0
if [ -n "$kept" ]; then
	exec "$thawfs" "$source" "$mountpoint" -o "$kept"
fi
exec "$thawfs" "$source" "$mountpoint"
