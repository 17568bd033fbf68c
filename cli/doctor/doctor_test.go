package doctor

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"relay/cli/lan"
	"relay/cli/term"
	"relay/cli/term/termtest"
	"relay/playback/api"
	"relay/relay/discovery"
	"relay/relay/hostnet"
	"relay/relay/store"
	"relay/relay/stream"
)

// wantFindings compares findings with lines. Each line has a level and the start of a text, and
// may have what to do next after "=>".
func wantFindings(t *testing.T, name string, got []Finding, want string) {
	t.Helper()
	var lines []string
	for _, l := range strings.Split(want, "\n") {
		if l = strings.TrimSpace(l); l != "" {
			lines = append(lines, l)
		}
	}
	ok := len(lines) == len(got)
	for i := 0; ok && i < len(got); i++ {
		text, next, _ := strings.Cut(lines[i], " => ")
		f := got[i]
		ok = strings.HasPrefix(string(f.Level)+" "+f.Text, text) && strings.Contains(f.Next, next)
	}
	if !ok {
		var all []string
		for _, f := range got {
			all = append(all, string(f.Level)+" "+f.Text+" => "+f.Next)
		}
		t.Errorf("%s:\n%s\nwant:\n%s", name, strings.Join(all, "\n"), strings.Join(lines, "\n"))
	}
	for _, f := range got {
		if !strings.HasSuffix(f.Text, ".") {
			t.Errorf("%s: %q is no sentence", name, f.Text)
		}
		if f.Level == Todo && f.Next == "" {
			t.Errorf("%s: %q does not say what to do", name, f.Text)
		}
	}
}

func addrs(all ...string) []netip.Addr {
	var as []netip.Addr
	for _, s := range all {
		as = append(as, netip.MustParseAddr(s))
	}
	return as
}

func TestDoctorOnTheNetwork(t *testing.T) {
	home := hostnet.Interface{Name: "eth0", Addrs: addrs("192.168.1.5", "fe80::1")}
	for name, c := range map[string]struct {
		m    machine
		want string
	}{
		"at home": {machine{interfaces: []hostnet.Interface{home}, out4: netip.MustParseAddr("192.168.1.5")}, `
			ok eth0 has 192.168.1.5: others on that network
			note The way to the Internet is from 192.168.1.5 through a router. => forward port 7144, TCP and UDP, to 192.168.1.5
			note There is no IPv6 way`},
		"in a data centre": {machine{
			interfaces: []hostnet.Interface{{Name: "eth0", Addrs: addrs("203.0.113.7", "2001:db8::7")}},
			out4:       netip.MustParseAddr("203.0.113.7"), out6: netip.MustParseAddr("2001:db8::7"),
		}, `
			ok eth0 has 203.0.113.7 and 2001:db8::7
			ok The way to the Internet is from 203.0.113.7, which others can reach
			ok IPv6 works, from 2001:db8::7.`},
		"behind a carrier": {machine{interfaces: []hostnet.Interface{{Name: "wwan0", Addrs: addrs("100.70.1.2")}}, out4: netip.MustParseAddr("100.70.1.2")}, `
			ok wwan0 has 100.70.1.2
			note The provider shares one Internet address
			note There is no IPv6 way`},
		"at a LAN party": {machine{interfaces: []hostnet.Interface{home, {Name: "wg0", PointToPoint: true, Addrs: addrs("10.8.0.2")}}}, `
			ok eth0 has 192.168.1.5
			note wg0 is a VPN or another line to one place, with 10.8.0.2.
			note There is no way to the IPv4 Internet (no default route)
			note There is no IPv6 way`},
		"without DHCP": {machine{interfaces: []hostnet.Interface{{Name: "wlan0", Addrs: addrs("169.254.7.7", "fe80::2")}}}, `
			todo wlan0 has been given no address, only 169.254.7.7 and fe80::2 => DHCP
			todo This machine is on no network => relay demo
			note There is no way to the IPv4 Internet
			note There is no IPv6 way`},
		"a bridge without a machine behind it": {machine{interfaces: []hostnet.Interface{home, {Name: "br0", Addrs: addrs("fe80::3")}, {Name: "eth1"}}}, `
			ok eth0 has 192.168.1.5
			note There is no way to the IPv4 Internet
			note There is no IPv6 way`},
		"alone": {machine{}, `
			todo This machine is on no network
			note There is no way to the IPv4 Internet
			note There is no IPv6 way`},
	} {
		wantFindings(t, name, c.m.checkNetwork(), c.want)
	}
}

func TestDoctorOnPorts(t *testing.T) {
	taken := &os.SyscallError{Syscall: "bind", Err: syscall.EADDRINUSE}
	running := &api.Status{}
	links := portUse{Port: Port{Proto: "TCP", Number: 7144, What: "links", Flag: "listen"}}
	with := func(p portUse, err error, o owner) portUse { p.err, p.owner = err, o; return p }
	asked := portUse{Port: Port{Proto: "UDP", Number: 8890, What: "SRT", Flag: "srt", Asked: true}}
	shared := portUse{Port: Port{Proto: "UDP", Number: 7146, What: "being found", Shared: true}}
	for name, c := range map[string]struct {
		m    machine
		want string
	}{
		"free":                {machine{ports: []portUse{links}}, `ok TCP port 7144, for links, is free.`},
		"relay":               {machine{ports: []portUse{with(links, taken, owner{7, "relay"})}}, `ok TCP port 7144, for links, is used by relay (process 7): relay runs.`},
		"a release":           {machine{ports: []portUse{with(links, taken, owner{7, "relay-0.1.0-linux"})}}, `ok TCP port 7144, for links, is used by relay-0.1.0-linux`},
		"relay of Windows":    {machine{ports: []portUse{with(links, taken, owner{7, "relay.exe"})}}, `ok TCP port 7144, for links, is used by`},
		"another program":     {machine{ports: []portUse{with(links, taken, owner{7, "nginx"})}}, `todo TCP port 7144, for links, is taken by nginx (process 7). => --listen`},
		"not told, on Linux":  {machine{goos: "linux", ports: []portUse{with(links, taken, owner{})}}, `todo TCP port 7144, for links, is taken by another program. => sudo ss -lnpt 'sport = :7144'`},
		"not told, on a Mac":  {machine{goos: "darwin", ports: []portUse{with(links, taken, owner{})}}, `todo TCP port 7144 => sudo lsof -nP -iTCP:7144`},
		"not told, Windows":   {machine{goos: "windows", ports: []portUse{with(links, taken, owner{})}}, `todo TCP port 7144 => netstat -ano -p tcp | findstr :7144`},
		"not told, relay up":  {machine{goos: "linux", running: running, ports: []portUse{with(links, taken, owner{})}}, `note TCP port 7144, for links, is taken, most likely by the relay`},
		"renamed relay":       {machine{running: running, asked: "127.0.0.1:7144", ports: []portUse{with(links, taken, owner{7, "relay-0.1"})}}, `ok TCP port 7144, for links, is used by relay-0.1 (process 7)`},
		"another one beside":  {machine{running: running, asked: "127.0.0.1:7145", ports: []portUse{with(links, taken, owner{7, "nginx"})}}, `todo TCP port 7144, for links, is taken by nginx`},
		"privileged":          {machine{ports: []portUse{with(links, &os.SyscallError{Syscall: "bind", Err: syscall.EACCES}, owner{})}}, `note TCP port 7144, for links, cannot be opened`},
		"shared":              {machine{goos: "linux", ports: []portUse{with(shared, taken, owner{})}}, `note UDP port 7146, for being found, is taken; if it is not by relay => ss -lnpu`},
		"by a flag, free":     {machine{ports: []portUse{asked}}, `ok UDP port 8890, for SRT, is free.`},
		"by a flag, relay":    {machine{ports: []portUse{with(asked, taken, owner{7, "relay"})}}, `ok UDP port 8890, for SRT, is used by relay (process 7): relay runs.`},
		"by a flag, another":  {machine{ports: []portUse{with(asked, taken, owner{7, "mediamtx"})}}, `note UDP port 8890, for SRT, is taken by mediamtx (process 7). => It matters with --srt alone`},
		"by a flag, not told": {machine{goos: "linux", ports: []portUse{with(asked, taken, owner{})}}, `note UDP port 8890, for SRT, is taken by another program. => ss -lnpu`},
		"shared with another": {machine{ports: []portUse{with(shared, taken, owner{7, "game"})}}, `todo UDP port 7146, for being found, is taken by game`},
	} {
		wantFindings(t, name, c.m.checkPorts(), c.want)
	}
}

func TestDoctorOnPlayers(t *testing.T) {
	all := []string{"H.264", "HEVC", "AAC"}
	for name, c := range map[string]struct {
		have map[string]program
		want string
	}{
		"nothing": {nil, `
			todo No player was found. => Install mpv or VLC`},
		"a browser": {map[string]program{"Firefox": {}}, `
			ok Firefox, or one like it
			note No player but the browser was found.`},
		"mpv": {map[string]program{"mpv": {codecs: all}}, `
			ok mpv plays H.264, HEVC and AAC.`},
		"a poor build": {map[string]program{"ffplay": {codecs: []string{"AV1", "AAC"}}}, `
			todo ffplay plays AV1 and AAC, but not H.264`},
		"one that hangs": {map[string]program{"mpv": {}, "vlc": {}}, `
			note mpv is installed, but does not say what it plays.
			ok vlc is installed. VLC 3 plays H.264 and AAC`},
	} {
		wantFindings(t, name, machine{programs: c.have}.checkPlayers(), c.want)
	}
}

func TestCodecsAreReadFromWhatPlayersSay(t *testing.T) {
	mpv := `Video decoders:
    h264 - H.264 / AVC
    hevc_qsv (hevc) - HEVC video (Intel Quick Sync Video acceleration)
    libdav1d (av1) - dav1d AV1 decoder by VideoLAN
Audio decoders:
    aac_fixed (aac) - AAC (Advanced Audio Coding)
    mp3float (mp3) - MP3
mp4als - not indented, so it is no decoder
`
	if got := mpvCodecs(mpv); !slices.Equal(got, []string{"H.264", "AV1", "AAC", "MP3"}) {
		t.Errorf("mpv: %q", got)
	}
	ffplay := `Codecs:
 D..... = Decoding supported
 -------
 DEV.L. av1                  Alliance for Open Media AV1 (decoders: av1_cuvid av1_qsv ) (encoders: libaom-av1 )
 DEV.LS h264                 H.264 / AVC (decoders: h264 h264_qsv ) (encoders: libx264 )
 .EV.L. hevc                 H.265 / HEVC
 D.V.L. vp9                  Google VP9
 DEAIL. aac                  AAC (Advanced Audio Coding)
`
	if got := ffmpegCodecs(ffplay); !slices.Equal(got, []string{"H.264", "VP9", "AAC"}) {
		t.Errorf("ffplay: %q", got)
	}
	for _, text := range []string{"", "\x00", "no such option\n", strings.Repeat(" D", 1000)} {
		if a, b := mpvCodecs(text), ffmpegCodecs(text); a == nil || b == nil || len(a)+len(b) > 0 {
			t.Errorf("%.20q: %q, %q", text, a, b)
		}
	}
}

// This test asks the real players on this machine, which may take long on a busy one.
func TestPlayersTellTheirCodecs(t *testing.T) {
	p, ok := findPrograms(t.Context())["ffplay"]
	if !ok {
		t.Fatal("ffplay is not installed; make tools")
	}
	if !slices.Contains(p.codecs, "H.264") || !slices.Contains(p.codecs, "AAC") {
		t.Errorf("ffplay plays %q", p.codecs)
	}
}

// TestAPlayerThatHangsIsGivenUp asks one that never answers, as long as the doctor has patience.
func TestAPlayerThatHangsIsGivenUp(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ffplay"), []byte("#!/bin/sh\nexec "+sleep+" 600\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	found := findPrograms(ctx)
	if p, ok := found["ffplay"]; !ok || p.codecs != nil || len(found) != 1 {
		t.Errorf("%+v", found)
	}
}

func TestDoctorOnTheFolder(t *testing.T) {
	now := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	clock := "ok The clock shows 2027-03-01 12:00:00 UTC"
	dir := filepath.Join(t.TempDir(), "relay")
	check := func(name, dir, want string) {
		t.Helper()
		wantFindings(t, name, machine{now: now, folder: store.Inspect(dir)}.checkFolder(), want+"\n"+clock)
	}
	check("before the first run", dir, "ok The folder for the keys, "+dir+", is not there yet")
	if _, err := os.Stat(dir); err == nil {
		t.Error("looking at it made the folder")
	}
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"live", "second"} {
		k, err := s.ChannelKey(name)
		if err != nil {
			t.Fatal(err)
		}
		defer k.Close()
		if _, err := s.NextEpoch(name, now.Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	check("in use", dir, "ok The keys are in "+dir+"\nok Channels of this machine: live (")
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("it leaves %q", left)
	}

	// Other users can read a key and the folder.
	live := filepath.Join(dir, "channels", "live.key")
	if err := errors.Join(os.Chmod(live, 0o640), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	check("open", dir, `
		ok The keys are in
		todo Others can read `+dir+` (mode 0755) => chmod 700 `+dir+`
		todo Others can read `+live+` (mode 0640) => chmod 600 `+live+`
		ok Channels of this machine: second (`)
	if err := errors.Join(os.Chmod(live, 0o600), os.Chmod(dir, 0o700)); err != nil {
		t.Fatal(err)
	}

	// A key's file holds something else.
	if err := os.WriteFile(live, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	check("damaged", dir, `
		ok The keys are in
		todo Not all keys can be used: `+live+` is no key file => Move the file away
		ok Channels of this machine: second (`)

	// A file stands in the place of the folder, or of one above it.
	check("a file", live, "todo The folder for the keys, "+live+", cannot be used: "+live+" is no folder. => --config")
	check("below a file", filepath.Join(live, "x"), "todo The folder for the keys, ")

	// The clock was ahead when the channel was last started.
	if _, err := s.NextEpoch("second", now.Add(stream.MaxEpochAhead+time.Minute)); err != nil {
		t.Fatal(err)
	}
	wantFindings(t, "ahead", machine{now: now, folder: store.Inspect(dir)}.checkFolder()[3:],
		"todo Channel second was last started at 2027-03-01 12:06:00, which is in the future => second.epoch")
	wantFindings(t, "no battery", machine{now: time.Unix(100, 0)}.checkFolder()[1:], "todo The clock shows 1970-01-01 00:01:40, which is long past.")
}

func TestDoctorOnTheRelay(t *testing.T) {
	channel := func(state api.State, depth int) api.ChannelStatus {
		c := api.ChannelStatus{Children: []api.Child{{}}, Channel: api.Channel{Name: "karp6ufz", BitRate: 6_000_000, State: state, Depth: depth, Root: depth == 0}}
		c.Link = "relay://x"
		c.Situation.Name = map[api.State]api.SituationName{api.Live: api.OnAir, api.Waiting: api.Looking, api.Reconnecting: api.Reconnects}[state]
		if depth == 0 && state != api.Live {
			c.Situation.Name = map[api.State]api.SituationName{api.Waiting: api.Waits, api.Reconnecting: api.Paused}[state]
		}
		if depth > 0 {
			c.Parent, c.Path = &api.Peer{}, []string{"a", "b"}
		}
		return c
	}
	lossy := channel(api.Live, 2)
	lossy.DelayMs, lossy.Chunks.Lost, lossy.Link, lossy.Children = 7000, 3, "", nil
	lost := channel(api.Reconnecting, 0)
	lost.Situation.Name = api.Reconnects
	lost.Root, lost.Path = false, []string{"a", "b"}
	open, closed := channel(api.Live, 1), channel(api.Live, 1)
	open.Reach, open.ReachAddr = api.ReachOpen, "203.0.113.7:7144"
	closed.Reach, closed.ReachAddr = api.ReachClosed, "203.0.113.7:7144"
	both := open
	both.Reached = []api.Reached{{Family: "IPv4", Reach: api.ReachOpen, Addr: open.ReachAddr}, {Family: "IPv6", Reach: api.ReachClosed, Addr: "[2001:db8::1]:7144"}}
	source := channel(api.Live, 0)
	source.Reached = []api.Reached{{Family: "IPv4", Reach: api.ReachClosed, Addr: open.ReachAddr}, {Family: "IPv6", Reach: api.ReachOpen, Addr: "[2001:db8::1]:7144"}}
	alone := channel(api.Waiting, 0)
	alone.Situation.Name = api.Looking
	alone.Root, alone.Path = false, []string{"a"}
	blind := channel(api.Live, 1)
	blind.Unread, blind.BitRate = true, 0
	for name, c := range map[string]struct {
		of   *api.Status
		want string
	}{
		"unread":  {&api.Status{Channels: []api.ChannelStatus{blind}}, `ok Channel karp6ufz is live: 1 link from the source, 0 ms behind it, private, and passed on unread, 1 child and 0 players here.`},
		"none":    {nil, `note No relay answers at 127.0.0.1:7145. => relay source`},
		"idle":    {&api.Status{}, `note A relay runs here, and has no channel open.`},
		"source":  {&api.Status{Channels: []api.ChannelStatus{channel(api.Live, 0)}}, `ok Channel karp6ufz is live: 6.0 Mb/s, 1 child and 0 players here.`},
		"watcher": {&api.Status{Channels: []api.ChannelStatus{channel(api.Live, 1)}}, `ok Channel karp6ufz is live: 1 link from the source, 0 ms behind it`},
		"trouble": {&api.Status{Channels: []api.ChannelStatus{lossy}}, `
			ok Channel karp6ufz is live: 2 links from the source, 7.0 s behind it, 6.0 Mb/s, 0 children
			note Channel karp6ufz is 7.0 s behind its source. => relay tree
			note 3 chunks of channel karp6ufz did not get here
			note Nobody can get channel karp6ufz from this node. => --no-relay`},
		"no encoder yet": {&api.Status{Channels: []api.ChannelStatus{channel(api.Waiting, 0)}}, `todo Channel karp6ufz: No encoder has sent anything yet. => Server and Key`},
		"encoder gone":   {&api.Status{Channels: []api.ChannelStatus{channel(api.Reconnecting, 0)}}, `todo Channel karp6ufz: No encoder has sent anything since`},
		"not joined":     {&api.Status{Channels: []api.ChannelStatus{channel(api.Waiting, 1)}}, `todo Channel karp6ufz: No node of the channel has answered yet.`},
		"never joined":   {&api.Status{Channels: []api.ChannelStatus{alone}}, `todo Channel karp6ufz: No node of the channel has answered yet.`},
		"open":           {&api.Status{Channels: []api.ChannelStatus{open}}, "ok Channel\nok Others get through to this node: another node of channel karp6ufz has tried it at 203.0.113.7:7144."},
		"closed":         {&api.Status{Channels: []api.ChannelStatus{closed}}, "ok Channel\ntodo Nobody gets through to this node: another node of channel karp6ufz has tried it at 203.0.113.7:7144, and a router or a firewall has let nothing in. => the router forward it"},
		"open over one family": {
			&api.Status{Channels: []api.ChannelStatus{both}},
			"ok Channel\nok Others get through to this node: another node of channel karp6ufz has tried it at 203.0.113.7:7144.\nnote Over IPv6 nobody gets through to this node: one that was asked has dialled [2001:db8::1]:7144 in vain. => the firewall",
		},
		"a source": {
			&api.Status{Channels: []api.ChannelStatus{source}},
			"ok Channel\ntodo Over IPv4 nobody gets through to this source: one that was asked has dialled 203.0.113.7:7144 in vain. => --via\nok Over IPv6 others get through to this node: one that was asked has dialled [2001:db8::1]:7144.",
		},
		"a router that lets in": {
			&api.Status{Channels: []api.ChannelStatus{channel(api.Live, 1)}, Node: api.Node{PortMapping: &api.PortMapping{Text: "The router has opened it.", Open: true}}},
			"ok Channel\nok The router has opened it.",
		},
		"a router that does not": {
			&api.Status{Channels: []api.ChannelStatus{channel(api.Live, 1)}, Node: api.Node{PortMapping: &api.PortMapping{Text: "The router refuses.", Next: "Allow it"}}},
			"ok Channel\nnote The router refuses. => Allow it.",
		},
		"no router":   {&api.Status{Channels: []api.ChannelStatus{channel(api.Live, 1)}, Node: api.Node{PortMapping: &api.PortMapping{}}}, "ok Channel"},
		"parent gone": {&api.Status{Channels: []api.ChannelStatus{lost}}, `todo Channel karp6ufz: The node that sent the stream is gone. => Another one takes over`},
	} {
		wantFindings(t, name, machine{running: c.of, asked: "127.0.0.1:7145"}.checkRunning(), c.want)
	}
}

func TestDoctorOnUpload(t *testing.T) {
	tree := func(slots, free int) machine {
		return machine{running: &api.Status{}, trees: api.Trees{Channels: []api.ChannelTree{{
			Name: "karp6ufz", Self: "b",
			Nodes: []api.TreeNode{{ID: "a"}, {ID: "b", Slots: slots, SlotsFree: free, UploadBPS: 18_000_000}},
		}}}}
	}
	stated := machine{upload: 20_000_000}
	for name, c := range map[string]struct {
		m    machine
		want string
	}{
		"unknown": {machine{}, `note How much this machine can upload is not known => relay doctor --upload 20M`},
		"stated":  {stated, `ok 20.0 Mb/s of upload carry this many viewers on other networks: 6 at 3.0 Mb/s, 3 at 6.0 Mb/s and 2 at 9.0 Mb/s.`},
		"room":    {tree(8, 5), `ok The relay here has room for 8 children of channel karp6ufz, 5 more than now; 18.0 Mb/s go to them.`},
		"full":    {tree(3, 0), `note The relay here carries all it can of channel karp6ufz: 3 children, 18.0 Mb/s.`},
		"nobody":  {tree(0, 0), `note The relay here passes channel karp6ufz on to nobody.`},
	} {
		wantFindings(t, name, c.m.checkUpload(), c.want)
	}
}

func TestDoctorIsWrittenForPeople(t *testing.T) {
	found := []Finding{
		{"Network", Fine, "eth0 has 192.168.1.5.", ""},
		{"Network", Todo, "Something \x1b[2J is wrong with this machine here.", "Do this and that, and then again."},
		{"Ports", Note, "Good to know.", ""},
	}
	termtest.WantLines(t, Text(found, term.Style{}), `
Network
✓ eth0 has 192.168.1.5.
✗ Something �[2J is wrong with this machine here.
  → Do this and that, and then again.

Ports
· Good to know.
`)
	termtest.WantLines(t, Text(found, term.Style{ASCII: true, Width: 28}), `
Network
+ eth0 has 192.168.1.5.
! Something �[2J is wrong
  with this machine here.
  > Do this and that, and
    then again.

Ports
- Good to know.
`)
	termtest.WantLines(t, Text(found[:1], term.Style{}), `
Network
✓ eth0 has 192.168.1.5.

Nothing needs doing.
`)
}

func TestDoctorOnThisNetwork(t *testing.T) {
	at := []netip.AddrPort{netip.MustParseAddrPort("192.168.1.5:7144")}
	const asked = "eth0 (192.168.1.9)"
	for name, c := range map[string]struct {
		of   around
		want string
	}{
		"off":      {around{off: true}, `note Channels were not looked for, because of --no-discovery.`},
		"fails":    {around{err: errors.New("no way")}, `todo no way. => UDP port 7146`},
		"alone":    {around{}, `note No channel was found; nobody but this machine itself could be asked.`},
		"nothing":  {around{asked: asked}, `note No channel was found; asked on eth0 (192.168.1.9). => let UDP port 7146 through`},
		"title":    {around{channels: []*lan.Channel{{Channel: discovery.Channel{Title: "Fin\x1bals"}, Addrs: at}}, asked: asked}, `ok Channel "Fin` + "\ufffd" + `als" (aaaaaaaa) was found at 192.168.1.5:7144; relay watch joins it.`},
		"no title": {around{channels: []*lan.Channel{{Addrs: at}}, asked: asked}, `ok Channel aaaaaaaa was found at 192.168.1.5:7144;`},
	} {
		wantFindings(t, name, machine{around: c.of}.checkAround(), c.want)
	}
}

// Programs read findings as JSON, and JSON does not escape marks of text direction.
func TestFindingsHoldNoStrangersCodes(t *testing.T) {
	var f findings
	f.todo("and\u2066 \u009b", "%s was found", "a\u202e\x1b[2J\nb")
	if want := (Finding{"", Todo, "a\ufffd\ufffd[2J b was found", "and\ufffd \ufffd"}); f.all[0] != want {
		t.Errorf("%q, want %q", f.all[0], want)
	}
}
