package pcpin

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"relay/ingest/flv"
	"relay/relay/pcp"
)

const (
	// dialTime bounds getting a connection, handshakeTime all from then on until the other end
	// has said who it is. PeerCast's own are these.
	dialTime      = 3 * time.Second
	handshakeTime = 18 * time.Second
	// silence is how long a host may bring nothing new of the stream: as over HTTP.
	silence = 10 * time.Second
	// tagless is how long packets may come of which no tag can be made. Between two places to
	// start are 20 s at most, as a rule.
	tagless = 60 * time.Second
	// reportEvery is how often a host is told that we have the channel. PeerCast forgets after
	// three minutes.
	reportEvery = 120 * time.Second
	// writeTime bounds one write: they are of a few hundred bytes.
	writeTime = 5 * time.Second
	// quitTime bounds the last word.
	quitTime = time.Second
	// mostOf503 is how many atoms are read of a host that is full, before it quits.
	mostOf503 = 64
	// readAhead is the buffer for what comes, in bytes: a packet and a bit.
	readAhead = 32 << 10
)

// reportTTL is how far a report of ours goes, in hosts: as far as PeerCast's own.
const reportTTL = 11

// visit is one connection to a host that may have the channel.
type visit struct {
	*run
	host  string // as it was dialled
	conn  net.Conn
	in    counter
	since time.Time
	named int        // hosts that it has named
	seen  netip.Addr // ours, as the host says

	writes sync.Mutex // one atom at a time: reports, and the last word
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// visit asks a host for the channel, and takes what it gives until it ends. It is never nil
// without an end of ctx.
func (r *run) visit(ctx context.Context, host string, isTip bool) error {
	dialling, reached := context.WithTimeout(ctx, dialTime)
	conn, err := r.dial(dialling, "tcp", host)
	reached()
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	v := &visit{run: r, host: host, conn: conn, in: counter{r: conn}, since: time.Now()}
	if isTip {
		r.hosts.tip = v.remote()
	}
	r.splice.connected()
	if r.tape != nil {
		r.tape.connected()
	}
	err = ended(v.ask(ctx))
	if bad, ok := errors.AsType[*pcp.Error](err); ok {
		r.hosts.refused.Add(bad.Why)
		err = &ProtocolError{bad}
	}
	if why, ok := lastWord(ctx, err); ok {
		v.say(pcp.AppendQuit(nil, why), quitTime)
	}
	return err
}

// lastWord returns what to tell a host that would go on.
func lastWord(ctx context.Context, err error) (pcp.Quit, bool) {
	switch {
	case ctx.Err() != nil:
		return pcp.QuitShutdown, true
	case errors.Is(err, ErrSelf):
		return pcp.QuitLoopback, true
	case errors.Is(err, ErrFull):
		return pcp.QuitUnavailable, true
	case errors.Is(err, ErrSilent), errors.Is(err, ErrRepeats):
		return pcp.QuitBadResponse, true
	}
	var bad *pcp.Error
	var typ *TypeError
	return pcp.QuitBadResponse, errors.As(err, &bad) || errors.As(err, &typ)
}

func (v *visit) remote() netip.AddrPort {
	a, err := netip.ParseAddrPort(v.conn.RemoteAddr().String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// say writes atoms.
func (v *visit) say(b []byte, within time.Duration) error {
	v.writes.Lock()
	defer v.writes.Unlock()
	if err := v.conn.SetWriteDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	_, err := v.conn.Write(b)
	return err
}

// until sets when the reading ends.
func (v *visit) until(ctx context.Context, t time.Time) error {
	if err := v.conn.SetReadDeadline(t); err != nil {
		return err
	}
	return ctx.Err() // which may have set another before
}

func (v *visit) ask(ctx context.Context) error {
	if err := v.until(ctx, v.since.Add(handshakeTime)); err != nil {
		return err
	}
	if err := v.say(v.request(v.remote()), writeTime); err != nil {
		return err
	}
	r := bufio.NewReaderSize(&v.in, readAhead)
	status, err := answer(r)
	if err != nil {
		return err
	}
	helo := pcp.Helo{Agent: v.pull.Agent, Version: pcp.Version, Session: v.pull.Session}
	if err := v.say(helo.Append(nil), writeTime); err != nil {
		return err
	}
	atoms := pcp.NewReader(r)
	if err := v.known(atoms); err != nil {
		return err
	}
	if status == http.StatusServiceUnavailable {
		return v.refer(atoms)
	}
	return v.receive(ctx, atoms)
}

// request is what asks this host for the channel, from where the stream was left.
func (r *run) request(at netip.AddrPort) []byte {
	q := pcp.Request{Channel: r.pull.From.Channel, Over: pcp.Over(at.Addr()), HasPos: true, Agent: r.pull.Agent}
	switch {
	case r.tape != nil && r.tape.known:
		q.Pos = r.tape.next
	case r.splice.known:
		q.Pos = r.splice.next
	}
	return q.Append(nil, at.String())
}

// answer reads the lines in front of the atoms. It returns 200, or 503 if the host is full.
func answer(r *bufio.Reader) (status int, err error) {
	b, err := pcp.ReadLines(r)
	if err != nil {
		return 0, err
	}
	a, err := pcp.ParseAnswer(b)
	switch {
	case err != nil:
		return 0, err
	case a.Status == http.StatusNotFound:
		return 0, ErrNotThere
	case a.Status != http.StatusOK && a.Status != http.StatusServiceUnavailable:
		return 0, ErrRefused
	case !a.PCP && a.Status == http.StatusServiceUnavailable:
		return 0, ErrFull
	case !a.PCP:
		return 0, ErrNotPeerCast
	}
	return a.Status, nil
}

// known reads who the host is.
func (v *visit) known(atoms *pcp.Reader) error {
	for range mostOf503 {
		a, err := atoms.Next()
		if err != nil {
			return err
		}
		switch a.Name {
		case pcp.NameQuit:
			return quitError(a)
		case pcp.NameOleh:
			o, err := pcp.ParseOleh(a)
			switch {
			case err != nil:
				return err
			case o.Session == v.pull.Session:
				return ErrSelf
			case o.Version != 0 && o.Version < pcp.LeastVersion:
				return ErrOld
			}
			v.seen = o.Remote
			return nil
		}
	}
	return ErrNotPeerCast
}

// quitError is why a host quits.
func quitError(a pcp.Atom) error {
	why, err := pcp.ParseQuit(a)
	if err != nil {
		return err
	}
	switch why {
	case pcp.QuitUnavailable:
		return ErrFull
	case pcp.QuitLoopback:
		return ErrSelf
	case pcp.QuitOffAir:
		return ErrOffAir
	case pcp.QuitNotIdentified, pcp.QuitBadAgent, pcp.QuitBadResponse:
		return ErrRefused
	}
	return ErrEnded
}

// refer reads whom a host names that is full. PeerCast quits behind them.
func (v *visit) refer(atoms *pcp.Reader) error {
	defer func() { v.hosts.earn(v.in.n) }()
	for range mostOf503 {
		a, err := atoms.Next()
		if err != nil {
			return ErrFull // that is all it names
		}
		if a.Name == pcp.NameQuit {
			break
		}
		if err := v.others(a); err != nil {
			return err
		}
	}
	return ErrFull
}

// others takes what an atom says of other hosts.
func (v *visit) others(a pcp.Atom) error {
	switch a.Name {
	case pcp.NameHost:
		h, err := pcp.ParseHost(a)
		if err != nil {
			return err
		}
		v.name(h)
	case pcp.NameBcst:
		b, err := pcp.ParseBcst(a)
		if err != nil {
			return err
		}
		if b.Host != nil {
			v.name(*b.Host)
		}
		if b.Chan != nil && b.Chan.Packet == nil {
			return v.describe(*b.Chan)
		}
	}
	return nil
}

func (v *visit) name(h pcp.Host) {
	v.hosts.name(v.pull.Session, v.pull.From.Channel, h, v.named)
	v.named++
}

// describe takes what is said of the channel.
func (v *visit) describe(c pcp.Chan) error {
	if c.ID != (pcp.ID{}) && c.ID != v.pull.From.Channel {
		return nil
	}
	before := v.told
	if c.Info != nil {
		v.told.Info, v.told.Said = *c.Info, true
	}
	if c.Track != nil {
		v.told.Track = *c.Track
	}
	if v.told == before {
		return nil
	}
	if v.pull.Told != nil {
		v.pull.Told(v.told)
	}
	return v.out.describe(v.told.Title(), v.told.Texts())
}

// receive takes the stream.
func (v *visit) receive(ctx context.Context, atoms *pcp.Reader) error {
	reporting, stop := context.WithCancel(ctx)
	var reports sync.WaitGroup
	reports.Go(func() { v.report(reporting) }) // ends with reporting
	defer reports.Wait()
	defer stop()
	tags, tagged := v.out.tags, time.Now()
	if err := v.until(ctx, time.Now().Add(silence)); err != nil {
		return err
	}
	for {
		a, err := atoms.Next()
		if err != nil {
			return silent(err)
		}
		fresh, err := v.take(a)
		if err != nil {
			return err
		}
		if !fresh {
			continue
		}
		now := time.Now()
		if tags != v.out.tags {
			tags, tagged = v.out.tags, now
			v.out.flush()
		}
		if now.Sub(tagged) > tagless {
			return ErrSilent
		}
		if err := v.until(ctx, now.Add(silence)); err != nil {
			return err
		}
	}
}

// silent is why a stream has ended.
func silent(err error) error {
	if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() {
		return ErrSilent
	}
	return err
}

// ended is why a connection has.
func ended(err error) error {
	if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() {
		return ErrLate
	}
	if err == io.EOF {
		return ErrEnded
	}
	return err
}

// take takes one atom, and reports whether it brought something new of the stream.
func (v *visit) take(a pcp.Atom) (fresh bool, err error) {
	switch a.Name {
	case pcp.NameQuit:
		return false, quitError(a)
	case pcp.NameHost, pcp.NameBcst:
		before := v.named
		err := v.others(a)
		v.hosts.earn((v.named - before) * leastHost)
		return false, err
	case pcp.NameChan:
		c, err := pcp.ParseChan(a)
		if err != nil {
			return false, err
		}
		if c.ID != (pcp.ID{}) && c.ID != v.pull.From.Channel {
			return false, nil
		}
		if err := v.describe(c); err != nil {
			return false, err
		}
		return v.packet(c.Packet)
	}
	return false, nil
}

// leastHost is how long an atom is at least that names a host, in bytes: its head, and those and
// the values of an address, a port, flags and a channel's ID.
const leastHost = 8 + 12 + 10 + 9 + 24

func (v *visit) packet(p *pcp.Packet) (fresh bool, err error) {
	switch {
	case p == nil:
		return false, nil
	case p.Kind == pcp.Head && len(p.Data) == 0 && isSound(v.told.Info.Type):
		return false, nil
	case p.Kind == pcp.Head && isTape(p.Data, ""):
		v.onTape().takeHead(p.Data)
		return false, nil
	case p.Kind == pcp.Data && (v.tape != nil || v.splice.head == nil && isTape(nil, v.told.Info.Type)):
		return v.onTape().takeData(p, v.out)
	case p.Kind == pcp.Head:
		err := v.splice.takeHead(p.Data)
		if _, ok := errors.AsType[*flv.NotFLVError](err); ok || errors.Is(err, flv.ErrFormat) {
			return false, v.wrongType(err)
		}
		return false, err
	case p.Kind == pcp.Data:
		if t := v.told.Info.Type; v.told.Said && v.splice.head == nil && !isFLV(t) {
			return false, &TypeError{Type: t}
		}
		return v.splice.takeData(p, v.out)
	}
	return false, nil
}

// onTape returns what makes tags of this channel's bytes.
func (v *visit) onTape() *tape {
	if v.tape == nil {
		v.tape = &tape{told: v.pull.Trouble, sound: isSound(v.told.Info.Type)}
		v.tape.connected()
	}
	return v.tape
}

// wrongType is the error of a head that is not FLV's: what the broadcaster calls it, or what it
// looks like.
func (v *visit) wrongType(err error) error {
	t := v.told.Info.Type
	if not, ok := errors.AsType[*flv.NotFLVError](err); isFLV(t) && ok {
		t = not.Looks
	}
	return &TypeError{Type: t}
}

// isFLV reports whether a type is FLV's, or says nothing.
func isFLV(t string) bool {
	return t == "" || strings.EqualFold(t, "FLV") || strings.EqualFold(t, "UNKNOWN")
}

// report tells the host, and by it the channel's tracker, that we have the channel: at once, and
// from time to time, until ctx ends. We are not dialled by others: it says no port.
func (v *visit) report(ctx context.Context) {
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for {
		h := pcp.Host{
			Channel: v.pull.From.Channel, Session: v.pull.Session, Version: pcp.Version, Flags: pcp.Receiving,
			Uptime: uint32(time.Since(v.since) / time.Second), Upstream: v.remote(),
			Global: netip.AddrPortFrom(v.seen, 0), // peercast-yt tells hosts apart by it
		}
		if v.pull.Watching != nil {
			h.Listeners = uint32(max(0, v.pull.Watching()))
		}
		b := pcp.Bcst{
			Group: pcp.ToTrackers, TTL: reportTTL, From: v.pull.Session, Channel: v.pull.From.Channel, Version: pcp.Version, Host: &h,
		}
		if v.say(b.Append(nil), writeTime) != nil {
			return // the reading end learns it, too
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
