// Package rtspout serves channels over RTSP 1.0 (RFC 2326) to players, such as VLC, ffmpeg, recorders of cameras and those
// in Unity and VRChat: packets in the connection (RTP/AVP/TCP, what VRChat calls rtspt), or by UDP to the
// player's own address. It takes no streams.
//
// A connection is one player. What it gets is made by [remux.RTP], once for all of them, and written by
// package playback, like every other output; by UDP as well ([datagrams]). The library that fetches from
// cameras has a server, too; it queues packets for each player, and drops those of who is slow.
package rtspout
