# shellcheck shell=bash disable=SC2154 # what common.sh and the command set
# SPDX-License-Identifier: MIT
#
# A private view of the Debian archive: the mirror and its key are those of the machine's own apt sources, the
# suites are ours, and lists and packages go to the cache. Nothing that the machine's apt knows is changed, and
# none of it needs root.

debian_suite=bookworm
apt_dir=$cache/apt

# Prints the machine's package sources as deb822 paragraphs, one-line entries converted.
machine_sources() {
	local file
	for file in /etc/apt/sources.list.d/*.sources; do
		[[ -r $file ]] && sed -e '/^[[:space:]]*#/d' -- "$file" && echo
	done
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[[ -r $file ]] && awk '
			$1 != "deb" { next }
			{
				rest = $0; signed = ""; trusted = ""
				sub(/#.*/, "", rest); sub(/^[ \t]*deb[ \t]+/, "", rest)
				if (match(rest, /^\[[^]]*\]/)) {
					options = substr(rest, 2, RLENGTH - 2); rest = substr(rest, RLENGTH + 1)
					n = split(options, option, /[ \t]+/)
					for (i = 1; i <= n; i++) {
						if (option[i] ~ /^signed-by=/) signed = substr(option[i], 11)
						if (option[i] ~ /^trusted=/) trusted = substr(option[i], 9)
					}
				}
				n = split(rest, word)
				printf "Types: deb\nURIs: %s\nSuites: %s\nComponents:", word[1], word[2]
				for (i = 3; i <= n; i++) printf " %s", word[i]
				print ""
				if (signed != "") print "Signed-By: " signed
				if (trusted != "") print "Trusted: " trusted
				print ""
			}' "$file"
	done
	return 0
}

# Reduces the machine's sources to the Debian archive and its security archive, with the suites that we want.
# A third party's source may serve a suite of the same name: the first one with "main" is Debian's.
private_sources() {
	local codename
	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-$debian_suite}")
	machine_sources | awk -v RS= -v codename="$codename" -v suite="$debian_suite" '
		function has(list, wanted,   n, i, word) {
			n = split(list, word)
			for (i = 1; i <= n; i++) if (word[i] == wanted) return 1
			return 0
		}
		{
			delete field; name = ""
			n = split($0, line, "\n")
			for (i = 1; i <= n; i++) {
				if (line[i] ~ /^[^ \t][^:]*:/) {
					name = tolower(line[i]); sub(/:.*/, "", name)
					value = line[i]; sub(/^[^:]*:[ \t]*/, "", value)
					field[name] = value
				} else if (name != "") {
					field[name] = field[name] "\n" line[i]
				}
			}
			if (tolower(field["enabled"]) == "no" || !has(field["types"], "deb")) next
			if (!has(field["components"], "main")) next
			if (has(field["suites"], codename) && !archive++) suites = suite " " suite "-backports"
			else if (has(field["suites"], codename "-security") && !security++) suites = suite "-security"
			else next
			printf "Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n", field["uris"], suites
			if (field["signed-by"] != "") print "Signed-By: " field["signed-by"]
			if (field["trusted"] != "") print "Trusted: " field["trusted"]
			print ""
		}'
}

# Writes the private configuration and fetches the lists; later calls use what the first one fetched.
apt_ready=
apt_prepare() {
	[[ -z $apt_ready ]] || return 0
	command -v apt-get >/dev/null || die "apt-get is missing; these tests fetch their kernels from a Debian archive."
	mkdir -p "$apt_dir/lists/partial" "$apt_dir/cache/archives/partial" "$apt_dir/sources.d"
	private_sources >"$apt_dir/sources.d/v4l2dma.sources"
	grep -q -- "-backports" "$apt_dir/sources.d/v4l2dma.sources" ||
		die "the apt sources of this machine name no Debian archive; add one under /etc/apt/sources.list.d."
	# The hooks are cleared because images made for containers empty the machine's package cache in them.
	cat >"$apt_dir/apt.conf" <<-EOF
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		#clear DPkg::Pre-Invoke;
		#clear DPkg::Pre-Install-Pkgs;
		#clear DPkg::Post-Invoke;
		Dir::Etc::sourcelist "/dev/null";
		Dir::Etc::sourceparts "$apt_dir/sources.d";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		Dir::State::lists "$apt_dir/lists";
		Dir::Cache "$apt_dir/cache";
		Acquire::Languages "none";
		Acquire::Retries "3";
		Acquire::http::Timeout "30";
		Acquire::https::Timeout "30";
		APT::Update::Error-Mode "any";
		APT::Architecture "amd64";
		APT::Sandbox::User "";
		APT::Get::Assume-Yes "true";
		APT::Install-Recommends "false";
		Debug::NoLocking "true";
	EOF
	note "reading the package lists of $debian_suite and $debian_suite-backports"
	quietly apt-get -c "$apt_dir/apt.conf" -qq update ||
		die "the Debian mirror of this machine's apt sources could not be read; check the network and /etc/apt."
	apt_ready=yes
}

# Runs a command and shows what it printed only if it failed.
quietly() {
	local output code=0
	output=$("$@" 2>&1) || code=$?
	((code == 0)) || printf '%s\n' "$output" >&2
	return "$code"
}

# apt_field PACKAGE FIELD VERSION: one field of one version of a package.
apt_field() {
	apt-cache -c "$apt_dir/apt.conf" show "$1" 2>/dev/null |
		awk -v RS= -v name="$2" -v version="$3" '
			index("\n" $0 "\n", "\nVersion: " version "\n") {
				n = split($0, line, "\n")
				for (i = 1; i <= n; i++)
					if (index(line[i], name ": ") == 1) { print substr(line[i], length(name) + 3); exit }
			}'
}

# apt_versions PACKAGE: every version of a package, oldest first.
apt_versions() { apt-cache -c "$apt_dir/apt.conf" show "$1" 2>/dev/null | sed -n 's/^Version: //p' | sort -V -u; }

# apt_unpack FOLDER PACKAGE[=VERSION]...: downloads the packages and unpacks them into FOLDER.
apt_unpack() {
	local into=$1 debs deb
	shift
	debs=$(mktemp -d "$apt_dir/download.XXXXXX")
	(cd "$debs" && quietly apt-get -c "$apt_dir/apt.conf" -qq download "$@") ||
		{ rm -rf "$debs"; die "the Debian mirror did not deliver: $*."; }
	for deb in "$debs"/*.deb; do
		dpkg-deb -x "$deb" "$into"
	done
	rm -rf "$debs"
}
