//! Which file systems exclude whom: some keep their locks to one machine, though the directory is shared by many.

use super::system::MountFacts;

/// What is to be thought of a directory's file system.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Fine,
    /// Works, with a limit that its user should know.
    Warned(String),
    /// Two machines, or two containers, could hold the lock at once.
    Refused(String),
}

/// One line of mountinfo (proc_pid_mountinfo(5)).
#[derive(Clone, PartialEq, Eq, Debug)]
struct Mount<'a> {
    kind: &'a str,
    number: u64,
    options: Vec<&'a str>,
}

impl Mount<'_> {
    fn has(&self, option: &str) -> bool {
        self.options.contains(&option)
    }
}

/// Lines that are not understood are passed over: a mount that is not found is judged by its magic number alone.
fn parse(mountinfo: &str) -> impl Iterator<Item = Mount<'_>> {
    mountinfo.lines().filter_map(|line| {
        let (front, back) = line.split_once(" - ")?;
        let mut back = back.split(' ');
        let kind = back.next()?;
        let options = back.nth(1).unwrap_or_default();
        Some(Mount {
            kind,
            number: front.split(' ').next()?.parse().ok()?,
            options: options.split(',').collect(),
        })
    })
}

/// `f_type` of statfs(2), for what has no line in mountinfo.
fn kind_of_magic(magic: u64) -> &'static str {
    match magic & 0xffff_ffff {
        0x0102_1994 => "tmpfs",
        0x0102_1997 => "9p",
        0x6573_5546 => "fuse",
        0x6969 => "nfs",
        0x794c_7630 => "overlay",
        0x8584_58f6 => "ramfs",
        0xfe53_4d42 | 0xff53_4d42 => "cifs",
        0xef53 => "ext4",
        0x5846_5342 => "xfs",
        0x9123_683e => "btrfs",
        _ => "unknown",
    }
}

/// Judges the file system that the facts tell of.
pub(crate) fn judge(facts: &MountFacts) -> Verdict {
    let mount = facts
        .mount
        .and_then(|number| parse(&facts.mountinfo).find(|mount| mount.number == number));
    judge_mount(&mount.unwrap_or_else(|| Mount {
        kind: kind_of_magic(facts.magic),
        number: 0,
        options: Vec::new(),
    }))
}

fn judge_mount(mount: &Mount<'_>) -> Verdict {
    let refused = |why: &str| Verdict::Refused(format!("{}: {why}", mount.kind));
    let warned = |why: &str| Verdict::Warned(format!("{}: {why}", mount.kind));
    match mount.kind {
        "bcachefs" | "btrfs" | "ext2" | "ext3" | "ext4" | "f2fs" | "jfs" | "nilfs2"
        | "reiserfs" | "xfs" | "zfs" => Verdict::Fine,
        "cgroup2" | "configfs" | "debugfs" | "devpts" | "efivarfs" | "proc" | "sysfs"
        | "tracefs" => refused("it is not for files of one's own: use a directory on a disk"),
        "tmpfs" | "ramfs" | "devtmpfs" => warned(
            "it is empty after a reboot, and then the order of fencing tokens rests on the wall clock alone: prefer /var/lib",
        ),
        "overlay" | "aufs" => warned(
            "it belongs to one container, so candidates in other containers are not excluded: mount a volume that all of them share",
        ),
        "nfs" | "nfs4" => judge_nfs(mount, refused, warned),
        "cifs" | "smb3" | "smbfs" if mount.has("nobrl") => {
            refused("`nobrl` keeps locks on this machine: mount it without")
        }
        "cifs" | "smb3" | "smbfs" | "ceph" | "gfs2" | "ocfs2" | "beegfs" => warned(
            "changes by other machines are not told, so that taking over takes a poll interval; a server that is lost loses its locks",
        ),
        "lustre" if mount.has("flock") => warned(
            "changes by other machines are not told, so that taking over takes a poll interval",
        ),
        "lustre" => refused("locks need the mount option `flock`"),
        "9p" | "virtiofs" | "vboxsf" | "prl_fs" | "vmhgfs" | "afs" => refused(
            "its locks are kept on this machine and exclude nobody on the other side of the share: use a disk of this machine",
        ),
        "fuseblk" | "vfat" | "exfat" | "ntfs3" | "hfsplus" => warned(
            "it numbers its files anew at each mount, so that the first leader after a mount waits for the longest lease",
        ),
        kind if kind == "fuse" || kind.starts_with("fuse.") => refused(
            "whether its locks exclude other machines is not known: use a disk of this machine, or accept it explicitly when you know",
        ),
        _ => warned("it is not known here whether its locks exclude other machines"),
    }
}

fn judge_nfs(
    mount: &Mount<'_>,
    refused: impl Fn(&str) -> Verdict,
    warned: impl Fn(&str) -> Verdict,
) -> Verdict {
    if mount.has("nolock") || mount.has("local_lock=all") || mount.has("local_lock=posix") {
        return refused("`nolock` or `local_lock` keeps locks on this machine: mount it without");
    }
    warned(
        "changes by other machines are not told, so that taking over takes a poll interval; a lock can be lost when the server is \
         cut off for longer than its grace time, so fence what the leader writes",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTINFO: &str = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/root rw,discard
30 27 0:40 / /mnt/with\\040space rw - nfs4 server:/export rw,vers=4.2,hard,local_lock=none,addr=10.0.0.1
31 27 0:41 / /mnt/a rw - nfs server:/export rw,vers=3,nolock,local_lock=all
32 27 0:42 / /mnt/b rw - nfs server:/export rw,vers=3,local_lock=posix
33 27 0:43 / /mnt/c rw - cifs //server/share rw,vers=3.1.1,nobrl
34 27 0:44 / /mnt/d rw - cifs //server/share rw,vers=3.1.1
35 27 0:45 / /mnt/e rw - 9p hostshare rw,trans=virtio
36 27 0:46 / /mnt/f rw - fuse.sshfs me@there: rw,user_id=0
37 27 0:47 / /tmp rw - tmpfs tmpfs rw
38 27 0:48 / /c rw - overlay overlay rw,lowerdir=/l,upperdir=/u
39 27 0:49 / /s rw - virtiofs share rw
40 27 8:1 / /usb rw - vfat /dev/sda1 rw
41 27 0:50 / /l rw - lustre mds:/l rw,flock
42 27 0:51 / /m rw - lustre mds:/l rw,localflock
43 27 0:52 / /n rw - neverheardof x rw
nonsense
44 not enough
- -
";

    fn verdict(mount: u64) -> Verdict {
        judge(&MountFacts {
            magic: 0,
            mount: Some(mount),
            mountinfo: MOUNTINFO.to_owned(),
        })
    }

    #[test]
    fn what_excludes_nobody_elsewhere_or_keeps_nothing_is_refused() {
        for (mount, says) in [
            (22, "a directory on a disk"),
            (31, "nolock"),
            (32, "local_lock"),
            (33, "nobrl"),
            (35, "a disk of this machine"),
            (36, "accept it explicitly"),
            (39, "other side of the share"),
            (42, "`flock`"),
        ] {
            let Verdict::Refused(why) = verdict(mount) else {
                panic!("mount {mount}: {:?}", verdict(mount));
            };
            assert!(why.contains(says), "{why}");
        }
    }

    #[test]
    fn what_works_with_a_limit_is_warned_about() {
        for (mount, says) in [
            (30, "poll interval"),
            (34, "poll interval"),
            (37, "reboot"),
            (38, "other containers"),
            (40, "at each mount"),
            (41, "poll interval"),
            (43, "not known"),
        ] {
            let Verdict::Warned(why) = verdict(mount) else {
                panic!("mount {mount}: {:?}", verdict(mount));
            };
            assert!(why.contains(says), "{why}");
        }
        assert_eq!(verdict(27), Verdict::Fine);
    }

    #[test]
    fn without_mountinfo_the_magic_number_decides() {
        for (magic, fine) in [
            (0xef53, true),
            (0x6573_5546, false),
            (0xffff_ffff_ff53_4d42, false),
        ] {
            let facts = MountFacts {
                magic,
                mount: Some(99),
                mountinfo: "\0garbage - \n".to_owned(),
            };
            assert_eq!(judge(&facts) == Verdict::Fine, fine, "{magic:x}");
        }
    }
}
