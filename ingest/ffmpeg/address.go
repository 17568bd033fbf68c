package ffmpeg

import (
	"net/url"
	"slices"
	"strings"
)

// protocols are those that ffmpeg may use for an address of a scheme, for all that it leads to: what a playlist or a
// server names comes from strangers, and must lead neither to this machine's files nor to other services.
var protocols = map[string]string{
	"http":  "http,https,tcp,tls,crypto,httpproxy,data",
	"https": "https,http,tls,tcp,crypto,httpproxy,data",
	"rtsp":  "rtsp,rtp,rtcp,srtp,tcp,udp,tls",
	"rtmps": "rtmps,rtmp,tcp,tls",
	"rtmpt": "rtmpt,rtmphttp,ffrtmphttp,http,tcp",
	"rtmpe": "rtmpe,ffrtmpcrypt,tcp",
	"rist":  "rist",
	"ftp":   "ftp,tcp",
	"mmsh":  "mmsh,http,tcp",
	"mmst":  "mmst,tcp",
	"tcp":   "tcp",
}

// Fetches reports whether a scheme is one that ffmpeg may be able to fetch from.
func Fetches(scheme string) bool { return protocols[strings.ToLower(scheme)] != "" }

// containers are the formats that a file may have. Those of scripts, which name other files, of devices and of images
// in a series are none of them. A file is what it contains, whatever its name says.
const containers = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,asf,asf_o,ogg,mp3,aac,ac3,eac3,flac,wav,w64,aiff,au,caf,amr,amrnb,amrwb,ape,dts,dtshd,truehd," +
	"mpeg,mpegvideo,mpegts,mpegtsraw,flv,live_flv,kux,mxf,gxf,nut,dv,rm,swf,h264,hevc,vvc,av1,obu,m4v,ivf,vc1,wv,tta,tak,opus,h263,mjpeg,y4m,yuv4mpegpipe,smjpeg,wtv,nsv,nuv,roq,thp,vob,rl2,film_cpk,bink,smk,flic,ea,4xm,mtv,mpc,mpc8,voc,xmv,pva,ty,gif,apng"

// playlists are what may be besides where a playlist is given. What it names has to be of containers, too.
const playlists = containers + ",hls,dash,applehttp,webvtt,rtsp,sdp,rtp,aac_latm,loas"

// fromFile returns the arguments that open a file.
func fromFile(path string) []string {
	formats := containers
	if strings.HasSuffix(strings.ToLower(path), ".m3u8") {
		formats = playlists
	}
	return []string{"-protocol_whitelist", "file,crypto,data", "-format_whitelist", formats, "-i", "file:" + path}
}

// fromURL returns the arguments that open an address whose scheme [Fetches], and what of them must not be shown. The
// password in an address can be seen by others on this machine while ffmpeg runs.
func fromURL(u *url.URL) (args, hide []string) {
	scheme := strings.ToLower(u.Scheme)
	args = []string{"-protocol_whitelist", protocols[scheme], "-format_whitelist", playlists}
	if scheme == "rtsp" {
		args = append(args, "-rtsp_transport", "tcp") // over UDP what is lost stays lost
	}
	to := u.String()
	if shown := Shown(u); shown != to {
		hide = []string{to, shown}
	}
	return append(args, "-i", to), hide
}

// Shown is an address as it may be shown: without a name and a password, and without the query, where tokens are.
func Shown(u *url.URL) string {
	v := *u
	v.User, v.RawQuery, v.Fragment = nil, "", ""
	return v.String()
}

// paced reports whether media are to be sent at the pace of their timestamps: what is at hand as a whole or in
// long pieces, unlike what comes as it is made.
func (m Media) paced() bool {
	return m.Duration > 0 || slices.Contains(strings.Split(m.Format, ","), "hls") || slices.Contains(strings.Split(m.Format, ","), "dash")
}
