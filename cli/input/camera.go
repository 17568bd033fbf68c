package input

import (
	"errors"
	"net"
	"net/url"
	"strings"

	"relay/cli/fault"
	"relay/ingest/rtspin"
)

// overRTSP are the schemes of RTSP. The last two, which players of Windows know, say how packets come.
var overRTSP = map[string]string{"rtsp": "", "rtsps": "", "rtspt": "transport=tcp", "rtspu": "transport=udp"}

// ofCamera reads the address of a camera.
func ofCamera(arg, scheme string) (Input, error) {
	const hint = "as in rtsp://user:password@192.168.1.10/stream1; the camera's manual has the path. In a password, write %40 for @, %23 for #, %2F for / and %3F for ?"
	u, err := url.Parse(arg)
	if err != nil {
		return Input{}, fault.Usage(hint, "that is no address of RTSP")
	}
	if u.Scheme = scheme; overRTSP[scheme] != "" {
		u.Scheme = "rtsp"
		u.RawQuery = strings.Trim(overRTSP[scheme]+"&"+u.RawQuery, "&")
	}
	a, err := rtspin.Parse(u)
	if err != nil || u.Fragment != "" {
		return Input{}, fault.Usage(hint, "%q is no address of RTSP", u.Redacted())
	}
	return Input{URL: a.URL, Camera: &a}, nil
}

// notFromCamera says what to do where nothing comes of a camera.
func (in Input) notFromCamera(err error) string {
	if c, ok := errors.AsType[*rtspin.CertificateError](err); ok {
		if c.Wanted != "" {
			return "if somebody has renewed it, take ?certificate=" + c.SHA256 + "; if nobody has, another machine answers in the camera's place"
		}
		return "if you trust the network up to the camera, take its certificate, and no other: " + quoted(c.Retry)
	}
	if r, ok := errors.AsType[*rtspin.RedirectError](err); ok {
		return "relay sends your password to nobody but the host that you name: if " + r.To + " is yours, too, name it in the address"
	}
	if _, ok := errors.AsType[*rtspin.CodecError](err); ok {
		return "on the camera's page, set the video to H.264 (or H.265) and the sound to AAC; or: ffmpeg -rtsp_transport tcp -i " + quoted(in.URL.Redacted()) + " -c:v libx264 -c:a aac -f flv - | relay source -"
	}
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case is(rtspin.ErrLean):
		return "take the released program, or build it without the tag lean; or: ffmpeg -rtsp_transport tcp -i " + quoted(in.URL.Redacted()) + " -c copy -f flv - | relay source -"
	case is(rtspin.ErrNoPassword):
		return "put them in the address: rtsp://user:password@" + in.URL.Host + in.URL.EscapedPath()
	case is(rtspin.ErrPassword):
		return "try them on the camera's own page. Many cameras have a user of their own for RTSP, or for ONVIF, and close for some minutes after a few wrong passwords. In a password, write %40 for @, %23 for #, %2F for / and %3F for ?"
	case is(rtspin.ErrPath):
		return "each maker has a path of its own, as /Streaming/Channels/101, /stream1 or /h264Preview_01_main: the camera's manual has it, and ONVIF programs show it"
	case is(rtspin.ErrBusy):
		return "end another program that watches it, or raise the number of viewers on the camera's page"
	case is(rtspin.ErrHTTP):
		return "that is the port of the camera's page; RTSP has one of its own, 554 as a rule: leave the port out"
	case is(rtspin.ErrNotRTSP), is(rtspin.ErrHungUp), is(rtspin.ErrNoAnswer):
		return "is that the camera's address and its port for RTSP, 554 as a rule? On the camera's page, RTSP has to be switched on"
	case is(rtspin.ErrNoUDP):
		return "leave ?transport=udp out: the packets then come in the connection, which firewalls let through"
	case is(rtspin.ErrTransport) && in.Camera.UDP:
		return "leave ?transport=udp out: the camera sends in the connection"
	case is(rtspin.ErrTransport):
		return "add ?transport=udp to the address: the camera does not send in the connection"
	case is(rtspin.ErrSilence), is(rtspin.ErrUseless), is(rtspin.ErrEnded):
		return "does the camera's own page show a picture now? If it does, restart the camera"
	case is(rtspin.ErrNoMedia), is(rtspin.ErrSDP):
		return "is the path that of a live picture? The camera's manual has it"
	}
	if d, ok := errors.AsType[*net.DNSError](err); ok && d.IsNotFound {
		return "is the host's name right? Cameras mostly have only an address, which the router's page shows"
	}
	if _, ok := errors.AsType[*rtspin.StatusError](err); ok {
		return "the number is the camera's own: its manual, or its page, may say what it means"
	}
	return "is the camera on and in this network, is the address right, and is RTSP switched on at it? Its port is 554 as a rule"
}
