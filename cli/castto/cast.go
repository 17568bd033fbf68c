package castto

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/term"
	"relay/playback"
	"relay/playback/api"
	"relay/playback/cast"
	"relay/relay/store"
)

const (
	// lookFor is how long devices are looked for: those on a slow radio answer within a second.
	lookFor = 2 * time.Second
	// playlistTime is how long the relay may take to have the stream ready for a device: a few key frames.
	playlistTime = 20 * time.Second
	// mostText bounds what is read of the relay's answer, in bytes.
	mostText = 16 << 10
)

// finder looks for devices; tests have it look on loopback.
var finder = cast.Finder{For: lookFor}

// Command is relay cast.
func Command(t *term.Terminal) *cli.Command {
	return &cli.Command{
		Name:      "cast",
		Usage:     "have a Chromecast play a channel",
		UsageText: "relay cast [DEVICE] [CHANNEL] [FLAGS]",
		Description: `Has a Chromecast, or a TV that is one, play a channel of the relay that runs on this
machine, which has to be started with --tv. DEVICE is the device's name or the beginning
of it, or its IP address; without it those on this network are shown, or the only one is
taken. CHANNEL is as for relay tree; without it the only one is meant. Ctrl-C stops it.`,
		Flags:  append([]cli.Flag{flag.Config()}, flag.AskFlags()...),
		Action: func(c *cli.Context) error { return run(c, t) },
	}
}

func run(c *cli.Context, t *term.Terminal) error {
	args := c.Args().Slice()
	name := ""
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	own, _ := store.OwnChannels(c.String("config")) // whose keys can be read
	relay, channel, err := flag.AskedOf(c, args, own)
	if err != nil {
		return err
	}
	defer relay.Close()
	ch, err := relay.One(c.Context, channel, func(name string) string { return "name one of them: relay cast DEVICE " + name })
	if err != nil {
		return err
	}
	if ch.Unread {
		return fault.Fail("cast from the machine of somebody who watches it", "the relay at %s passes channel %s on and cannot read it", relay.Addr, term.Clean(ch.Name))
	}
	d, err := device(c.Context, t, name)
	if c.Context.Err() != nil || err == nil && !d.Addr.IsValid() {
		return nil
	}
	if err != nil {
		return err
	}
	return play(c.Context, t, d, relay.Addr, ch)
}

// device finds the device that is meant. If there are several and none is named it shows them, and returns none.
func device(ctx context.Context, t *term.Terminal, name string) (cast.Device, error) {
	if at, ok := address(name); ok {
		return cast.Device{Name: at.Addr().String(), Addr: at}, nil
	}
	t.Show(t.Lang.In("Looking for Chromecasts…"))
	all, err := finder.Find(ctx)
	t.Show("")
	switch {
	case err != nil:
		return cast.Device{}, fault.Fail("", "cannot look for Chromecasts on this network: %w", err)
	case len(all) == 0:
		return cast.Device{}, &fault.Error{
			Err:  errors.New("no Chromecast answers on this network"),
			Hint: "is it switched on, and in the same network, without guest Wi-Fi in between? relay cast ADDRESS takes its IP address", Code: fault.ExitNobody,
		}
	case name == "" && len(all) == 1:
		return all[0], nil
	case name == "":
		for _, d := range all {
			t.Print(term.Clean(fmt.Sprintf("%s  %s  %s", d.Name, d.Addr.Addr(), d.Model)))
		}
		t.Say("relay cast NAME takes one of them.")
		return cast.Device{}, nil
	}
	return called(name, all)
}

// called returns the one device whose name is, or begins like, name; upper case counts as lower.
func called(name string, all []cast.Device) (cast.Device, error) {
	var begin []cast.Device
	var names []string
	for _, d := range all {
		if strings.EqualFold(d.Name, name) {
			return d, nil
		}
		if strings.HasPrefix(strings.ToLower(d.Name), strings.ToLower(name)) {
			begin = append(begin, d)
		}
		names = append(names, strconv.Quote(d.Name))
	}
	if len(begin) == 1 {
		return begin[0], nil
	}
	is := "no Chromecast on this network is called %s; there are %s"
	if len(begin) > 1 {
		is = "several Chromecasts are called like %s; there are %s"
	}
	return cast.Device{}, &fault.Error{
		Err:  fmt.Errorf(is, strconv.Quote(name), strings.Join(names, ", ")),
		Hint: "give the whole name, in quotes, or an IP address; relay cast alone shows them", Code: fault.ExitNobody,
	}
}

// address reads an IP address, with or without a port.
func address(s string) (netip.AddrPort, bool) {
	if at, err := netip.ParseAddrPort(s); err == nil && at.Port() != 0 {
		return at, true
	}
	a, err := netip.ParseAddr(s)
	return netip.AddrPortFrom(a, cast.Port), err == nil
}

// play has the device play the channel of the relay at addr.
func play(ctx context.Context, t *term.Terminal, d cast.Device, addr string, ch api.ChannelStatus) error {
	s, err := cast.Dial(ctx, d.Addr)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return &fault.Error{Err: fmt.Errorf("%s at %s does not answer: %w", d.Name, d.Addr, err), Hint: "is it switched on, and a Chromecast?", Code: fault.ExitNobody}
	}
	defer s.Close()
	host, port, _ := net.SplitHostPort(addr) // flag.Asked has joined it
	if ip, err := netip.ParseAddr(host); host == "localhost" || err == nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		host = s.Local().String()
	}
	url := "http://" + net.JoinHostPort(host, port) + "/hls/" + ch.Name + "/" + playback.HLSMaster
	if err := offered(ctx, url, addr); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	title := cmp.Or(ch.Title, ch.Name)
	last := ""
	err = s.Play(ctx, cast.Media{URL: url, Title: title}, func(state string) {
		if state == last {
			return
		}
		last = state
		line := t.Lang.In(stateText(state, d.Name))
		if t.ErrTTY {
			t.Show(term.Clean(line))
		} else {
			t.Say("%s", line)
		}
	})
	t.Show("")
	if err == nil {
		t.Say("%s has stopped playing.", d.Name)
	}
	return explain(d.Name, err)
}

func stateText(state, name string) string {
	switch state {
	case "PLAYING":
		return fmt.Sprintf("%s plays. Ctrl-C stops it.", name)
	case "PAUSED":
		return fmt.Sprintf("%s is paused by its remote control.", name)
	}
	return fmt.Sprintf("%s loads the stream…", name)
}

// offered asks for the playlist as a device does, and says what is wrong if it would not get it.
func offered(ctx context.Context, url, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, playlistTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Origin", cast.Origin)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy
	resp, err := client.Do(req)
	closed := err != nil && ctx.Err() == nil
	if err == nil {
		defer resp.Body.Close()
	}
	switch {
	case closed || err == nil && resp.Header.Get("Access-Control-Allow-Origin") != cast.Origin:
		return &fault.Error{
			Err:  fmt.Errorf("the relay at %s lets no Chromecast have its channels", addr),
			Hint: "start it again with --tv", Code: fault.ExitRefused,
		}
	case err != nil:
		return fault.Fail("is somebody broadcasting?", "the relay at %s has no stream for a Chromecast after %d s", addr, int(playlistTime.Seconds()))
	case resp.StatusCode != http.StatusOK:
		text, _ := io.ReadAll(io.LimitReader(resp.Body, mostText))
		return fault.Fail("", "%s", strings.TrimSpace(term.Clean(string(text))))
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, mostText))
	return err
}

// explain says in words why a device has ended, and what to do.
func explain(name string, err error) error {
	var is, hint string
	switch {
	case err == nil:
		return nil
	case errors.Is(err, cast.ErrEnded):
		is, hint = "%s has stopped: the stream has ended", "run relay cast again when it is live"
	case errors.Is(err, cast.ErrTaken):
		is, hint = "%s plays something else now, or was stopped by its remote control", "relay cast again takes it back"
	case errors.Is(err, cast.ErrLoad):
		is, hint = "%s cannot play the stream", "Chromecasts play H.264 with AAC, newer ones HEVC, VP9, AV1 or Opus as well; and a firewall on this machine has to let the device in to the port for players"
	case errors.Is(err, cast.ErrLaunch):
		is, hint = "%s does not start its player", "start it again: pull its plug for some seconds; it needs the Internet to load its player"
	case errors.Is(err, cast.ErrSilent):
		is, hint = "%s is there, and does not do what it is asked", "start it again: pull its plug for some seconds"
	case errors.Is(err, cast.ErrNonsense):
		is, hint = "%s does not speak as a Chromecast does", "is the address that of a Chromecast?"
	default:
		is, hint = "%s says nothing more", "is it still switched on, and in the network? It may go on playing all the same"
	}
	code := fault.ExitRuntime
	if errors.Is(err, cast.ErrNonsense) {
		code = fault.ExitNobody
	}
	return &fault.Error{Err: fmt.Errorf(is, name), Hint: hint, Code: code}
}
