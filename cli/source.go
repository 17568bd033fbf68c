package cli

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/input"
	"relay/cli/keyring"
	"relay/cli/listing"
	"relay/cli/privacy"
	"relay/cli/station"
	"relay/cli/term"
	"relay/cli/words"
	"relay/cli/words/listed"
	"relay/ingest"
	"relay/ingest/browser"
	"relay/ingest/flv"
	"relay/ingest/pcpin"
	"relay/ingest/rtmp"
	"relay/relay"
	"relay/relay/seal"
	"relay/relay/stream"
)

const (
	// defaultChannel is the name of the channel that plain "relay source" sends.
	defaultChannel = "live"
	// When its input has ended, a source waits up to drainMost until every child has
	// everything, or was sent it where the system says no more, and players of HLS have the end, and checks every drainLook. It then stays
	// for drainTime, so that what is on its way can arrive.
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
address. INPUT is a file of FLV, Matroska, WebM, MP4, QuickTime or MPEG-TS, sent at the pace of its
timestamps; "-" for one of these on standard input (MP4 in fragments, or with its table in
front); an rtmp:// or http(s):// address to fetch a live stream from;
rtsp(s)://user:password@HOST/PATH of a camera (with ?transport=udp for packets by UDP);
srt://host:8890 likewise, over SRT (?mode=listener waits there, as --srt does);
udp://:1234 or udp://239.1.1.1:1234 for MPEG-TS that is sent there (with ?program=N
another than the first of its programs); or a channel of PeerCast to bring in, as
pcp://HOST:7144/ID or its line of an index.txt.

With ffmpeg installed, INPUT is also screen, camera, camera:1 or camera:NAME, any other
file (AVI, Ogg, MP3 ...), and an address of HLS, rtmps:// and more. What
can be sent as it is, is copied; the rest becomes H.264 and AAC, by this machine's
hardware where that can. relay doctor lists cameras, microphones and screens.`,
		Flags: append([]cli.Flag{
			flag.Text("rtmp", fmt.Sprintf("`ADDR` for the encoder (default 127.0.0.1:%d; a free port if that is taken); with INPUT, for players over RTMP (default: none)", rtmp.DefaultPort)),
			flag.Text("whip", fmt.Sprintf("`ADDR` for encoders over WHIP, TCP and UDP, as in :%d; the stream key is their bearer token (default: none)", station.WHIPPort)),
			flag.Text("key", "stream `KEY` that the encoder has to give, or @FILE to read it from (default: kept with the channel)"),
			flag.Text("channel", "`NAME` of the channel on this machine; each has its own link (default "+defaultChannel+")"),
			flag.Text("title", fmt.Sprintf("`TEXT` that viewers see, up to %d characters (default: what the encoder says)", flv.MaxTitle)),
			flag.Toggle("loop", "repeat the file for ever"),
			flag.Text("mic", "`NAME` or number of the microphone that goes with camera or screen, or none (default: the first, and with a screen what this machine plays)"),
			flag.Text("audio", "aac has ffmpeg make AAC of sound that is none (`CODEC`: aac), for players without Opus, MP3 or AC-3"),
			flag.Toggle("no-qr", "do not draw the code that phones scan"),
			flag.Toggle("json", "write what happens to stdout, a JSON object on a line"),
			flag.Text("tag-log", "write type, timestamp and SHA-256 of each tag taken in to `FILE`"),
		}, slices.Concat(flag.Private(), []cli.Flag{flag.Public()}, flag.Announcing(), flag.Via(), nodeFlags(playersNear))...),
		Action: func(c *cli.Context) error { return runSource(c, t, stdio) },
	}
}

// sourcePlan is what the command line asks for.
type sourcePlan struct {
	input   input.Input
	station station.Config
	folder  string        // --config
	name    string        // of the channel on this machine
	key     string        // --key; "" for the one kept with the channel
	tagLog  string        // a file; "" for none
	via     *relay.Helper // nil for none
	code    bool          // draw one for phones
	privacy privacy.Wish
	listed  listing.Announce
}

// source is one run of the command.
type source struct {
	reporter
	plan    sourcePlan
	log     *zap.Logger
	station *station.Station
	replay  io.ReadSeeker // what was kept of a channel, if the input is that
	channel *relay.Channel
	begun   stream.Epoch // the run, if it did not begin in the future by this machine's clock
	media   *ingest.Input
	access  seal.Access
	signs   ed25519.PrivateKey // the channel's
	key     string             // that the encoder has to give; "" if none is waited for
	once    sync.Once          // the text at the start
	shared  station.SharedLink
	alone   bool // the warning that the link leads here from this network alone
	refused words.Turned
	aac     *ingest.AAC // nil without --audio aac
	told    pcpin.Told  // of a channel of PeerCast's
}

// runSource goes from the command line to the end of the command: it decides, opens what it
// needs, and runs. What is opened is closed on the way out.
func runSource(c *cli.Context, t *term.Terminal, stdio Stdio) (err error) {
	p, err := planSource(c, stdio)
	if err != nil {
		return err
	}
	s := &source{reporter: reporter{t, jsonEvents(c, stdio)}, plan: p, log: words.NewLog(t, c.Bool("verbose"))}
	defer s.log.Sync() // it keeps lines for a second
	defer func() { s.events.End(c.Context, err) }()
	if err := s.plan.input.Check(); err != nil {
		return err // a name with a mistake in it makes no keys
	}
	if s.aac, err = s.plan.input.MadeAAC(c.Context, s.log); err != nil {
		return err
	}
	keys, err := keyring.Open(s.plan.folder, s.plan.name)
	if err != nil {
		return err
	}
	defer keys.Close()
	release, err := s.identify(c.Context, stdio.In, keys)
	if err != nil {
		return err
	}
	defer release()
	if s.plan.input.Awaited() {
		await := func(ctx context.Context) (*ingest.Session, error) { return s.media.Await(ctx) }
		page := browser.NewIntake(ingest.OverBrowser(await), s.log)
		page.Film = ingest.OverWebRTC(s.log)
		s.plan.station.Broadcast = page
		srt := &s.plan.station.SRT
		srt.Key, srt.Publish, srt.Refused = s.key, ingest.OverSRT(await, s.log), func(why error) { s.turnedAway(why, "") }
		w := &s.plan.station.WHIP
		w.Key, w.Publish, w.Refused = s.key, ingest.OverWHIP(await), func(why error) { s.turnedAway(why, s.station.WHIPServer()) }
	}
	if s.station, err = station.Open(t, s.log, s.plan.station); err != nil {
		return err
	}
	defer s.station.Close()
	onTag, closeLog, err := tagLog(s.plan.tagLog)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLog()) }()
	if err := s.open(keys, onTag); err != nil {
		return err
	}
	return s.run(c.Context)
}

// planSource reads the command line. It opens nothing.
func planSource(c *cli.Context, stdio Stdio) (p sourcePlan, err error) {
	if p.station, err = stationFlags(c); err != nil {
		return p, err
	}
	if p.privacy, err = flag.ReadPrivacy(c); err != nil {
		return p, err
	}
	if w := p.privacy; w.Private || w.Ask || w.Phrase != "" { // before a secret is made and kept
		if err = p.station.PeerCast.NoPrivate(true); err != nil {
			return p, err
		}
	}
	if p.station.Title, err = titleOf(c.String("title")); err != nil {
		return p, err
	}
	if p.input, err = input.Of(c.Args().Slice(), c.Bool("loop"), stdio.In); err != nil {
		return p, err
	}
	if err = p.input.With(c.String("mic"), c.String("audio")); err != nil {
		return p, err
	}
	if !p.input.Awaited() {
		if c.IsSet("whip") {
			return p, input.ForEncoders("whip")
		}
		if p.station.RTMP, err = wanted(c, "players over RTMP", "rtmp", rtmp.DefaultPort); err != nil {
			return p, err
		}
	} else {
		if p.station.RTMP, err = listener(c, "the encoder", "rtmp", "127.0.0.1", rtmp.DefaultPort); err != nil {
			return p, err
		}
		if p.station.WHIP.Port, err = wanted(c, "encoders over WHIP", "whip", station.WHIPPort); err != nil {
			return p, err
		}
	}
	if at := p.input.SRT; at != nil && at.Listen {
		p.station.SRT.Port = station.Port{What: "the encoder", Flag: "srt", Addr: at.Addr, Given: true}
	}
	p.folder, p.name, p.tagLog = c.String("config"), c.String("channel"), c.String("tag-log")
	if p.key, err = flag.StreamKey(c); err != nil {
		return p, err
	}
	p.name, p.key = cmp.Or(p.name, defaultChannel), cmp.Or(p.key, p.input.Passphrase())
	p.listed.Version = Version
	if p.listed.To, p.listed.Says, err = flag.ReadAnnouncing(c); err != nil {
		return p, err
	}
	p.code, p.station.HideNames = !c.Bool("no-qr"), c.Bool("hide-names")
	nearPlayers(c, &p.station)
	if p.via, err = flag.ReadVia(c); p.via != nil {
		p.station.Via = []relay.HostPort{p.via.HostPort}
	}
	return p, err
}

// identify takes the node's key out of its folder, and warns if the keys cannot be kept. If an
// encoder is awaited and the user has given no stream key, it reads the one kept with the channel,
// or makes it. The caller calls release.
func (s *source) identify(ctx context.Context, in io.Reader, keys *keyring.Keys) (release func(), err error) {
	if keys.Why != nil {
		s.warn(keys.Warning())
	}
	for _, name := range s.plan.station.Shown {
		s.warn(words.Shown(name))
	}
	if s.plan.input.Seen() {
		s.warn(words.PasswordSeen())
	}
	if s.key = s.plan.key; s.plan.input.Awaited() && s.key == "" {
		if s.key, err = keys.StreamKey(); err != nil {
			return nil, err
		}
	}
	if s.access, err = s.plan.privacy.ForSource(ctx, s.t, in, keys, s.plan.name, stream.IDOf(keys.Key)); err != nil {
		return nil, err
	}
	if s.access.Private() && len(s.plan.listed.To) > 0 {
		return nil, listed.Private()
	}
	if s.replay, err = station.OpenReplay(s.t, &s.plan.station, s.plan.input.Path, s.plan.folder); err != nil {
		return nil, err
	}
	if err := s.plan.station.PeerCast.NoPrivate(s.access.Private()); err != nil {
		return nil, err
	}
	s.plan.station.Private(s.access)
	s.plan.station.Store = keys.Store
	s.plan.station.Key, release, err = keyring.NodeKey(keys.Store, keys.Why, s.log)
	return release, err
}

// open opens the channel.
func (s *source) open(keys *keyring.Keys, onTag func(flv.Tag)) error {
	epoch, err := keys.NextEpoch(time.Now())
	if err != nil {
		return err
	}
	if w, ahead := words.BegunAhead(epoch, time.Now()); ahead {
		s.warn(w)
	} else {
		s.begun = epoch
	}
	ch, w, err := s.station.Node.PrivateSource(keys.Key, s.access, epoch)
	if err != nil {
		return err
	}
	s.channel, s.media, s.signs = ch, ingest.NewInput(w, onTag), keys.Key
	s.media.SetTitle(s.plan.station.Title)
	says := s.plan.listed.Says
	s.media.SetTexts(flv.Texts{Genre: says.Genre, Description: says.Description, Comment: says.Comment, Contact: says.URL})
	if s.aac == nil { // sound that is made anew is not what was signed
		s.media.SetRecording(s.plan.station.RecordingOf)
	}
	if s.aac != nil {
		s.media.MakeAAC(s.aac)
	}
	if s.plan.station.Discovery.Off {
		s.media.SetUnlisted()
	}
	s.station.Show(ch, func() station.Encoder { return encoderOf(s.media.Status()) })
	return nil
}

// runner returns what reads the input; nil if ffmpeg alone can, since it films.
func (s *source) runner() interface {
	Run(ctx context.Context) error
} {
	in := s.plan.input
	switch {
	case in.Film != nil:
		return nil
	case in.Stdin != nil:
		return &ingest.Pipe{From: in.Stdin, Open: s.begin, Log: s.log}
	case in.UDP != nil:
		return &ingest.UDP{Addr: *in.UDP, Name: in.URL.String(), Open: s.begin, Log: s.log}
	case in.Path != "":
		return &ingest.File{Path: in.Path, From: s.replay, Loop: in.Loop, Open: s.begin, Log: s.log}
	case in.PeerCast != nil:
		return &ingest.PCPPull{
			From: *in.PeerCast, Session: s.plan.station.PeerCast.Session, Agent: "relay/" + Version, Open: s.begin, Refused: &s.station.PullRefused, Log: s.log,
			Told: func(t pcpin.Told) { s.told = t }, Watching: func() int { st, _ := s.channel.Status(); return st.Watching },
		}
	case in.Camera != nil:
		return &ingest.RTSPPull{From: *in.Camera, Open: s.begin, Log: s.log}
	case in.Awaited(): // over SRT, the station takes it
		return &rtmp.Server{Listener: s.station.RTMP, Publish: ingest.OverRTMP(s.admit), Play: s.station.PlayOverRTMP, Refused: func(why error) { s.turnedAway(why, s.station.RTMPServer()) }, Refusals: &s.station.RTMPRefused, Own: s.station.Node.Near, Log: s.log}
	case in.SRT != nil:
		return &ingest.SRTPull{Target: *in.SRT, Open: s.begin, Log: s.log}
	case strings.EqualFold(in.URL.Scheme, "rtmp"):
		return &ingest.RTMPPull{URL: in.URL, Open: s.begin, Log: s.log}
	}
	return &ingest.HTTPPull{URL: in.URL, Open: s.begin, Log: s.log}
}

// admit lets in an encoder that knows the key. An encoder cannot tell a wrong key from a wrong
// path, not even by the time the answer takes.
func (s *source) admit(ctx context.Context, app, key string) (*ingest.Session, error) {
	okApp := subtle.ConstantTimeCompare([]byte(app), []byte(station.RTMPApp))
	okKey := subtle.ConstantTimeCompare([]byte(key), []byte(s.key))
	if okApp&okKey != 1 {
		return nil, ingest.ErrDenied
	}
	return s.media.Await(ctx)
}

// turnedAway tells the person who runs the source why an encoder was not taken that came to an address.
func (s *source) turnedAway(why error, server string) {
	if w, fresh := s.refused.Look(why, server, s.media.Status().Sessions); fresh {
		s.warn(w)
	}
}

// begin begins the session of an input that is fetched. The link is printed only
// now: an input that does not work is one line, not a page.
func (s *source) begin() (*ingest.Session, error) {
	session, err := s.media.Open()
	if err == nil {
		s.greet()
	}
	return session, err
}

func (s *source) run(ctx context.Context) error {
	g := newGroup(ctx)
	defer g.stop()
	in := s.runner()
	if f := s.plan.input.ByFFmpeg(in, s.begin, s.log); f != nil && s.replay == nil {
		in = f
	}
	if s.plan.input.Awaited() || s.plan.input.UDP != nil {
		s.greet() // before there can be anything else to tell
	}
	s.station.Run(g.ctx, g.Group)
	g.Go(func() error { return fault.Tell(s.t, words.Ended(s.channel.Run(g.ctx))) })
	g.Go(func() error { s.station.LookForOthers(g.ctx, s.channel); return nil })
	g.Go(func() error { s.follow(g.ctx); return nil })
	if s.station.RTMP != nil && !s.plan.input.Awaited() {
		g.Go(func() error { return s.station.PlayRTMP(g.ctx) })
	}
	if s.aac != nil {
		g.Go(func() error { return s.aac.Run(g.ctx) })
	}
	if s.plan.station.Finding.Public {
		g.Go(func() error {
			s.station.BeFoundByID(g.ctx, s.channel, s.signs, s.plan.via, s.onAir, s.warn)
			return nil
		})
	}
	if v := s.plan.via; v != nil {
		g.Go(func() error { s.channel.Offer(g.ctx, *v, s.helperFailed()); return nil })
	}
	if len(s.plan.listed.To) > 0 {
		s.t.Say("%s", listed.Announced(s.plan.listed.To))
		g.Go(func() error { s.announceTo(g.ctx); return nil })
	}
	g.Go(func() error {
		err := in.Run(g.ctx)
		if g.ctx.Err() != nil || errors.Is(err, stream.ErrClosed) {
			return nil // a write to a channel that closes is no error of the input
		}
		if err != nil {
			return s.plan.input.Explain(err)
		}
		s.t.Say("The input has ended.")
		s.drain(g.ctx)
		g.stop()
		return nil
	})
	return g.Wait()
}

// helperFailed returns what tells the person who runs the source, once for each reason, that the
// helper does not take the channel.
func (s *source) helperFailed() func(error) {
	said := ""
	return func(why error) {
		w := words.HelperFailed(*s.plan.via, s.station.Invite(s.channel), why)
		if w.Text != said {
			said = w.Text
			s.warn(w)
		}
	}
}

// drain waits until the children and the players of HLS have the end of the input, or ctx ends.
// The root cannot refer them to another parent: what it has not sent when it leaves is lost to
// everyone.
func (s *source) drain(ctx context.Context) {
	most, cancel := context.WithTimeout(ctx, drainMost)
	defer cancel()
	var players sync.WaitGroup
	players.Go(func() { s.station.FinishPlaying(most) })
	s.drainChildren(most)
	players.Wait()
	select {
	case <-time.After(drainTime):
	case <-ctx.Done():
	}
}

func (s *source) drainChildren(ctx context.Context) {
	look := time.NewTicker(drainLook)
	defer look.Stop()
	for {
		st, ok := s.channel.Status()
		if !ok || st.Served() {
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}
