package main

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"fmt"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"time"
)

const (
	// channelsFile is what the service reads its links from, and is left as its owner has made it.
	channelsFile = "etc/relay/channels"
	channelsText = `# The channels that the service passes on: a relay:// link on each line.
# Of a private channel one without its secret: relay link --join-only prints it.
# Only root and the service can read this file; keep it so.
# After a change: systemctl reload relay
`
	serviceFile = "usr/lib/systemd/system/relay.service"
	userFile    = "usr/lib/systemd/user/relay.service"
	maintainer  = "The relay authors <relay@localhost>"
)

// Scripts that dpkg runs. The service is installed, and left to whoever wants it to enable: it
// needs links first.
//
// The service's user is made, so that the file with links can be for its group: systemd takes the one
// there is, and makes up none. While a service runs with one that systemd has made up (one that was
// installed by hand), there can be no other of that name, so it is stopped meanwhile.
const (
	afterInstall = `#!/bin/sh
set -e
[ "$1" = configure ] || exit 0
start=try-restart
if ! getent -s files passwd relay >/dev/null && [ -d /run/systemd/system ] && systemctl --quiet is-active relay.service; then
	systemctl stop relay.service
	start=start
fi
getent group relay >/dev/null || groupadd --system relay
getent passwd relay >/dev/null || useradd --system --gid relay --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin relay
if [ -e /etc/relay/channels ] && ! dpkg-statoverride --list /etc/relay/channels >/dev/null; then
	chown root:relay /etc/relay/channels
	chmod 640 /etc/relay/channels
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl $start relay.service
fi
`
	beforeRemoval = `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
	systemctl disable --now relay.service
fi
`
	afterRemoval = `#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
if [ "$1" = purge ]; then
	# The service's keys. What users have in their own folders is theirs.
	rm -rf /var/lib/relay /var/lib/private/relay
	rmdir /etc/relay 2>/dev/null || true
fi
`
)

// deb returns a Debian package (deb(5), Debian Policy): the program, its manual page, what shells
// complete, and the service.
func (r *release) deb(arch string, program []byte) ([]byte, error) {
	files, err := r.installed(program)
	if err != nil {
		return nil, err
	}
	sums, size := "", 0
	for _, f := range files {
		sums += fmt.Sprintf("%x  %s\n", md5.Sum(f.data), f.name)
		size += len(f.data)
	}
	control := fmt.Sprintf(`Package: relay
Version: %s
Architecture: %s
Maintainer: %s
Installed-Size: %d
Depends: passwd
Recommends: ca-certificates
Suggests: ffmpeg, mpv
Section: video
Priority: optional
Description: live video from one person to many, without a server
 One runs relay source and points OBS or ffmpeg at it; everyone else runs relay
 watch and opens a player or a browser on a local address. Every watcher passes
 the stream on to others.
`, r.version, arch, maintainer, (size+1023)/1024)
	about, err := tarOf(under([]file{
		{"conffiles", []byte("/" + channelsFile + "\n"), 0o644},
		{"control", []byte(control), 0o644},
		{"md5sums", []byte(sums), 0o644},
		{"postinst", []byte(afterInstall), 0o755},
		{"postrm", []byte(afterRemoval), 0o755},
		{"prerm", []byte(beforeRemoval), 0o755},
	}), r.made)
	if err != nil {
		return nil, err
	}
	data, err := tarOf(under(files), r.made)
	if err != nil {
		return nil, err
	}
	return arOf([]file{
		{"debian-binary", []byte("2.0\n"), 0o644},
		{"control.tar.gz", about, 0o644},
		{"data.tar.gz", data, 0o644},
	}, r.made), nil
}

// installed returns the files of a package, by name.
func (r *release) installed(program []byte) ([]file, error) {
	service, err := os.ReadFile("cli/deploy/relay.service")
	if err != nil {
		return nil, err
	}
	// A package's programs are not where its owner puts others.
	service = bytes.ReplaceAll(service, []byte("/usr/local/bin/relay"), []byte("/usr/bin/relay"))
	own, err := os.ReadFile("cli/deploy/relay-user.service")
	if err != nil {
		return nil, err
	}
	licence, err := os.ReadFile("LICENSE")
	if err != nil {
		return nil, err
	}
	changes, err := os.ReadFile("cli/deploy/CHANGES.md")
	if err != nil {
		return nil, err
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		return nil, err
	}
	said := map[string][]byte{}
	for _, args := range []string{"man", "completion bash", "completion fish", "completion zsh"} {
		if said[args], err = says(strings.Fields(args)...); err != nil {
			return nil, err
		}
	}
	return []file{
		{channelsFile, []byte(channelsText), 0o640}, // links may have secrets
		{"usr/bin/relay", program, 0o755},
		{serviceFile, service, 0o644},
		{userFile, own, 0o644},
		{"usr/share/bash-completion/completions/relay", said["completion bash"], 0o644},
		{"usr/share/doc/relay/CHANGES.md.gz", gzipOf(changes), 0o644},
		{"usr/share/doc/relay/README.md", readme, 0o644},
		{"usr/share/doc/relay/changelog.gz", gzipOf(r.changelog()), 0o644},
		{"usr/share/doc/relay/copyright", slices.Concat(licence, []byte("\n"), noticesText(r.notices, true)), 0o644},
		{"usr/share/fish/vendor_completions.d/relay.fish", said["completion fish"], 0o644},
		{"usr/share/man/man1/relay.1.gz", gzipOf(said["man"]), 0o644},
		{"usr/share/zsh/vendor-completions/_relay", said["completion zsh"], 0o644},
	}, nil
}

// changelog is that of the package, in the form that Debian's tools read: what has changed is in another file.
func (r *release) changelog() []byte {
	return fmt.Appendf(nil, "relay (%s) unstable; urgency=medium\n\n  * New release: CHANGES.md.gz says what has changed.\n\n -- %s  %s\n",
		r.version, maintainer, r.made.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
}

// says returns what relay prints, built for this machine.
func says(args ...string) ([]byte, error) {
	cmd := exec.Command("go", append([]string{"run", "./cli/relay"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("relay %s: %w", strings.Join(args, " "), err)
	}
	return out, nil
}

// under returns files, which are sorted, behind the folders that they are in, as dpkg wants them.
func under(files []file) []file {
	all, seen := []file{{"./", nil, 0o755}}, map[string]bool{".": true}
	var folders func(dir string)
	folders = func(dir string) {
		if !seen[dir] {
			seen[dir] = true
			folders(path.Dir(dir))
			all = append(all, file{"./" + dir + "/", nil, 0o755})
		}
	}
	for _, f := range files {
		folders(path.Dir(f.name))
		f.name = "./" + f.name
		all = append(all, f)
	}
	return all
}

// arOf packs files as ar(5) has them.
func arOf(files []file, made time.Time) []byte {
	var b bytes.Buffer
	b.WriteString("!<arch>\n")
	for _, f := range files {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", f.name, made.Unix(), 0, 0, 0o100000|f.mode, len(f.data))
		b.Write(f.data)
		if len(f.data)%2 > 0 {
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

// gzipOf compresses without a time or a name. Neither can fail into memory.
func gzipOf(data []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	z.Write(data)
	z.Close()
	return b.Bytes()
}
