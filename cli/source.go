package cli

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/term"
	"relay/cli/words"
	"relay/ingest"
	"relay/ingest/flv"
	"relay/ingest/rtmp"
	"relay/relay"
)

const (
	// rtmpApp is the path under which encoders publish.
	rtmpApp = "live"
	// defaultChannel is the name of the channel that plain "relay source" sends.
	defaultChannel = "live"
	// drainTime is how long a source whose input has ended stays for what is under way
	// to arrive, and drainMost how long it waits at most before that while a child has
	// not been sent all. It looks every drainLook.
	drainTime = time.Second
	drainMost = 10 * time.Second
	drainLook = 50 * time.Millisecond
)

func sourceCommand(t *term.Terminal, stdio Stdio) *cli.Command {
	return &cli.Command{
		Name:      "source",
		Usage:     "broadcast",
		UsageText: "relay source [INPUT] [FLAGS]",
		Description: `Without INPUT it waits for an encoder such as OBS or ffmpeg on a local RTMP
address. INPUT is an FLV file, sent at the pace of its timestamps; "-" for FLV on
standard input; or an rtmp:// or http(s):// address to fetch a live FLV stream from.`,
		Flags: append([]cli.Flag{
			flag.Text("rtmp", fmt.Sprintf("`ADDR` for the encoder (default 127.0.0.1:%d; a free port if that is taken)", rtmp.DefaultPort)),
			flag.Text("key", "stream `KEY` that the encoder has to give (default: kept with the channel)"),
			flag.Text("channel", "`NAME` of the channel on this machine; each has its own link (default "+defaultChannel+")"),
			flag.Text("title", fmt.Sprintf("`TEXT` that viewers see, up to %d characters (default: what the encoder says)", flv.MaxTitle)),
			flag.Toggle("loop", "repeat the file for ever"),
			flag.Toggle("no-qr", "do not draw the code that phones scan"),
			flag.Toggle("json", "write what happens to stdout, a JSON object on a line"),
			flag.Text("tag-log", "write type, timestamp and SHA-256 of each tag taken in to `FILE`"),
		}, nodeFlags(playersNear)...),
		Action: func(c *cli.Context) error { return runSource(c, t, stdio) },
	}
}

// source is one run of the command.
type source struct {
	reporter
	log     *zap.Logger
	station *station
	channel *relay.Channel
	media   *ingest.Input
	rtmp    net.Listener // nil if the media comes from elsewhere
	key     string
	upload  int       // --upload, bit/s; 0 if it was not given
	code    bool      // draw one for phones
	once    sync.Once // the text at the start
	refused sync.Once // the warning that an encoder did not know the key
}

func runSource(c *cli.Context, t *term.Terminal, stdio Stdio) (err error) {
	if c.NArg() > 1 {
		return fault.Usage("relay help source", "relay source takes one input, %d were given", c.NArg())
	}
	cfg, err := stationFlags(c)
	if err != nil {
		return err
	}
	title, err := titleOf(c.String("title"))
	if err != nil {
		return err
	}
	cfg.nearPlayers(c)
	name := c.String("channel")
	if name == "" {
		name = defaultChannel
	}
	keys, err := openKeys(c.String("config"), name)
	if err != nil {
		return err
	}
	defer keys.close()

	s := &source{
		reporter: reporter{t, jsonEvents(c, stdio)}, log: words.NewLog(t, c.Bool("verbose")),
		upload: cfg.upload, code: !c.Bool("no-qr"),
	}
	defer func() { s.events.End(c.Context, err) }()
	if keys.why != nil {
		s.warn(keys.warning())
	}
	nodeKey, release, err := nodeKey(keys.store, keys.why, s.log)
	if err != nil {
		return err
	}
	defer release()
	in, err := s.input(c, stdio)
	if err != nil {
		return err
	}
	if in == nil {
		p, err := listener(c, "the encoder", "rtmp", "127.0.0.1", rtmp.DefaultPort)
		if err != nil {
			return err
		}
		if s.key = c.String("key"); s.key == "" {
			if s.key, err = keys.streamKey(); err != nil {
				return err
			}
		}
		if s.rtmp, err = p.listen(t); err != nil {
			return err
		}
		defer s.rtmp.Close()
		in = &rtmp.Server{Listener: s.rtmp, Publish: ingest.OverRTMP(s.admit), Play: s.playOverRTMP, Log: s.log}
	}
	if s.station, err = newStation(t, s.log, cfg, nodeKey); err != nil {
		return err
	}
	s.station.rtmp = s.rtmp
	epoch, err := keys.nextEpoch(time.Now())
	if err != nil {
		return err
	}
	ch, w, err := s.station.node.Source(keys.key, epoch)
	if err != nil {
		return err
	}
	onTag, closeLog, err := tagLog(c.String("tag-log"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLog()) }()
	s.channel, s.media = ch, ingest.NewInput(w, onTag)
	s.media.SetTitle(title)
	s.station.title = title
	if cfg.discovery.Off {
		s.media.SetUnlisted()
	}
	s.station.show(ch, func() bool { return s.media.Status().Live })
	return s.run(c.Context, in, cfg.allowHosts)
}

// runner is an input.
type runner interface {
	Run(ctx context.Context) error
}

// input makes what the argument asks for, nil for the RTMP server.
func (s *source) input(c *cli.Context, stdio Stdio) (runner, error) {
	arg := c.Args().First()
	if c.Bool("loop") && (arg == "" || arg == "-" || strings.Contains(arg, "://")) {
		return nil, fault.Usage("", "--loop needs a file to repeat")
	}
	switch scheme, _, isURL := strings.Cut(arg, "://"); {
	case arg == "":
		return nil, nil
	case arg == "-":
		if term.IsKeyboard(stdio.In) {
			return nil, fault.Usage("pipe FLV into it: ffmpeg ... -f flv - | relay source -", "standard input is the keyboard")
		}
		return &ingest.Pipe{From: stdio.In, Open: s.open}, nil
	case isURL:
		u, err := url.Parse(arg)
		if err != nil || u.Host == "" {
			return nil, fault.Usage("as in rtmp://host/app/stream or http://host/live.flv", "%q is no address", arg)
		}
		switch strings.ToLower(scheme) {
		case "rtmp":
			return &ingest.RTMPPull{URL: u, Open: s.open, Log: s.log}, nil
		case "http", "https":
			return &ingest.HTTPPull{URL: u, Open: s.open, Log: s.log}, nil
		case "relay":
			return nil, fault.Usage("to watch a channel: relay watch LINK", "a relay:// link is no input")
		}
		return nil, fault.Usage("rtmp://, http:// and https:// can be fetched; for others: ffmpeg -i "+arg+" -c copy -f flv - | relay source -", "relay cannot fetch from %s://", scheme)
	}
	if _, err := os.Stat(arg); err != nil {
		return nil, explainInput(err)
	}
	return &ingest.File{Path: arg, Loop: c.Bool("loop"), Open: s.open, Log: s.log}, nil
}

// admit lets an encoder in that knows the key. Nothing tells a wrong key from a
// wrong path, not even the time it takes.
func (s *source) admit(app, key string) (*ingest.Session, error) {
	okApp := subtle.ConstantTimeCompare([]byte(app), []byte(rtmpApp))
	okKey := subtle.ConstantTimeCompare([]byte(key), []byte(s.key))
	if okApp&okKey != 1 {
		s.refused.Do(func() {
			s.warn(words.Warning{
				Code: words.WarnWrongKey, Text: "an encoder was turned away: its server or its stream key is not this channel's",
				Hint: "Server " + s.server() + ", Stream Key " + s.key,
			})
		})
		return nil, ingest.ErrDenied
	}
	return s.media.Open()
}

// open begins the session of an input that is fetched. The link is printed only
// now: an input that does not work is one line, not a page.
func (s *source) open() (*ingest.Session, error) {
	session, err := s.media.Open()
	if err == nil {
		s.greet()
	}
	return session, err
}

func (s *source) run(ctx context.Context, in runner, allowHosts []string) error {
	g := newGroup(ctx)
	defer g.stop()
	s.station.run(g.ctx, g.Group, allowHosts)
	g.Go(func() error { return s.channel.Run(g.ctx) })
	g.Go(func() error { s.follow(g.ctx); return nil })
	if s.rtmp != nil {
		s.greet()
	}
	g.Go(func() error {
		err := in.Run(g.ctx)
		if g.ctx.Err() != nil {
			return nil // a write to a channel that closes is no error of the input
		}
		if err != nil {
			return explainInput(err)
		}
		s.t.Say("The input has ended.")
		s.drain(g.ctx)
		g.stop()
		return nil
	})
	return g.Wait()
}

// drain waits until the children have the end of the input, or ctx ends. The root
// has nobody to send them to: what it has not given when it leaves is lost to all.
func (s *source) drain(ctx context.Context) {
	look := time.NewTicker(drainLook)
	defer look.Stop()
	for since := time.Now(); time.Since(since) < drainMost; {
		st, ok := s.channel.Status()
		if !ok || st.Served() {
			break
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
	select {
	case <-time.After(drainTime):
	case <-ctx.Done():
	}
}

// explainInput adds to an error of an input what to do about it.
func explainInput(err error) error {
	var not *flv.NotFLVError
	if errors.As(err, &not) {
		if not.Looks == "nothing at all" {
			return &fault.Error{Err: err, Hint: "did the program that makes the stream fail? Run it alone to see", Code: fault.ExitRuntime}
		}
		return &fault.Error{Err: err, Hint: "relay takes FLV; to convert: ffmpeg -re -i INPUT -c copy -f flv - | relay source -", Code: fault.ExitRuntime}
	}
	var path *os.PathError
	if errors.As(err, &path) {
		return &fault.Error{Err: fmt.Errorf("%s: %w", path.Path, path.Err), Hint: "", Code: fault.ExitRuntime}
	}
	return &fault.Error{Err: err, Hint: "", Code: fault.ExitRuntime}
}
