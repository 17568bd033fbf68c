package tv

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"relay/playback"
	"relay/playback/api"
	"relay/relay/oneline"
)

const (
	root = "0" // the object that has all others (ContentDirectory:1, 2.7.4)
	// maxPage bounds what one answer to Browse lists: TVs ask for the rest, as TotalMatches says.
	maxPage = 64
	// maxTitle bounds a title, in bytes.
	maxTitle = 128
)

// list returns the channels that TVs can play now, and which version of the list it is. A channel that they cannot play
// is told of once.
func (s *Server) list() (fit []api.Channel, version uint32) {
	var is strings.Builder
	var unfit []api.Channel
	s.mu.Lock()
	defer func() {
		s.mu.Unlock()
		for _, c := range unfit {
			s.cfg.Unfit(c)
		}
	}()
	for _, c := range s.cfg.Channels() {
		switch {
		case c.Unread || c.State != api.Live || c.Codec.Video+c.Codec.Audio == "":
		case fits(c.Codec):
			fit = append(fit, c)
			fmt.Fprintf(&is, "%s%q", c.ID, c.Title)
		case !s.unfit[c.ID]:
			s.unfit[c.ID] = true // as many as the node carries
			unfit = append(unfit, c)
		}
	}
	if is.String() != s.items {
		s.items = is.String()
		s.ver++
	}
	return fit, s.ver
}

// fits reports whether TVs decode that: what they had when DLNA was new, and HEVC.
func fits(c api.Codec) bool {
	return slices.Contains([]string{"h264", "hevc"}, c.Video) && slices.Contains([]string{"", "aac", "mp3"}, c.Audio)
}

// directory is ContentDirectory:1.
func (s *Server) directory(r *http.Request, c call) ([][2]string, *soapFault) {
	switch c.name {
	case "Browse":
		return s.browse(r, c.args)
	case "GetSearchCapabilities":
		return [][2]string{{"SearchCaps", ""}}, nil
	case "GetSortCapabilities":
		return [][2]string{{"SortCaps", ""}}, nil
	case "GetSystemUpdateID":
		_, version := s.list()
		return [][2]string{{"Id", strconv.Itoa(int(version))}}, nil
	}
	return nil, faultAction
}

func (s *Server) browse(r *http.Request, args map[string]string) ([][2]string, *soapFault) {
	id, there := args["ObjectID"]
	from, ok1 := number(args["StartingIndex"])
	most, ok2 := number(args["RequestedCount"])
	flag := args["BrowseFlag"]
	if !there || !ok1 || !ok2 || flag != "BrowseMetadata" && flag != "BrowseDirectChildren" {
		return nil, faultArgs
	}
	all, version := s.list()
	at := slices.IndexFunc(all, func(c api.Channel) bool { return c.ID == id })
	if id != root && at < 0 {
		return nil, faultObject
	}
	var b strings.Builder
	total, n := 1, 1
	switch {
	case flag == "BrowseMetadata" && id == root:
		fmt.Fprintf(&b, `<container id="0" parentID="-1" restricted="1" childCount="%d"><dc:title>%s</dc:title><upnp:class>object.container</upnp:class></container>`,
			len(all), escaped(s.cfg.Name))
	case flag == "BrowseMetadata":
		b.WriteString(item(all[at], s.players(r)))
	case id == root:
		total = len(all)
		rest := all[min(from, uint64(total)):]
		if most == 0 || most > maxPage {
			most = maxPage
		}
		rest = rest[:min(most, uint64(len(rest)))]
		n = len(rest)
		for _, c := range rest {
			b.WriteString(item(c, s.players(r)))
		}
	default:
		total, n = 0, 0 // a channel has nothing in it
	}
	return [][2]string{
		{"Result", didl + b.String() + "</DIDL-Lite>"},
		{"NumberReturned", strconv.Itoa(n)},
		{"TotalMatches", strconv.Itoa(total)},
		{"UpdateID", strconv.Itoa(int(version))},
	}, nil
}

// number reads a ui4, which some leave out.
func number(s string) (uint64, bool) {
	if s == "" {
		return 0, true
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return n, err == nil
}

const didl = `<DIDL-Lite xmlns="urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:upnp="urn:schemas-upnp-org:metadata-1-0/upnp/">`

// protocol is how a channel is had (ConnectionManager:1, 2.5.2).
const protocol = "http-get:*:video/mpeg:" + playback.TVFeatures

func item(c api.Channel, players string) string {
	size := ""
	if c.Codec.Width > 0 && c.Codec.Height > 0 {
		size = fmt.Sprintf(` resolution="%dx%d"`, c.Codec.Width, c.Codec.Height)
	}
	title := oneline.Clean(c.Title, maxTitle)
	if title == "" {
		title = c.Name
	}
	return fmt.Sprintf(`<item id="%s" parentID="0" restricted="1"><dc:title>%s</dc:title><upnp:class>object.item.videoItem</upnp:class><res protocolInfo="%s"%s>%s</res></item>`,
		escaped(c.ID), escaped(title), protocol, size, escaped(players+"/"+c.Name+".ts"+playback.TVQuery))
}

// players is where r's TV plays the channels, without a slash at the end.
func (s *Server) players(r *http.Request) string {
	at := s.cfg.Players
	if at.Addr().IsUnspecified() {
		at = netip.AddrPortFrom(local(r), at.Port())
	}
	return "http://" + at.String()
}

// connections is ConnectionManager:1.
func connections(_ *http.Request, c call) ([][2]string, *soapFault) {
	switch c.name {
	case "GetProtocolInfo":
		return [][2]string{{"Source", protocol}, {"Sink", ""}}, nil
	case "GetCurrentConnectionIDs":
		return [][2]string{{"ConnectionIDs", "0"}}, nil
	case "GetCurrentConnectionInfo":
		if c.args["ConnectionID"] != "0" {
			return nil, faultConn
		}
		return [][2]string{
			{"RcsID", "-1"},
			{"AVTransportID", "-1"},
			{"ProtocolInfo", ""},
			{"PeerConnectionManager", ""},
			{"PeerConnectionID", "-1"},
			{"Direction", "Output"},
			{"Status", "OK"},
		}, nil
	}
	return nil, faultAction
}
