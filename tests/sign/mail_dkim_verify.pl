# What Mail::DKIM says about a message. usage: mail_dkim_verify.pl ZONE-FILE MESSAGE
#
# Keys come from a zone file of one record a line. Prints a line for each DKIM-Signature, top first,
# and one for the ARC chain.
use strict;
use warnings;
use Mail::DKIM::Verifier;
use Mail::DKIM::ARC::Verifier;
use Mail::DKIM::DNS;

my ($zone_file, $message_file) = @ARGV;
my %zone;
open(my $in, '<', $zone_file) or die "$zone_file: $!\n";
while (<$in>) {
    my ($owner, $rdata) = split ' ', $_, 2;
    $owner =~ s/\.$//;
    $zone{lc $owner} = join '', $rdata =~ /"((?:[^"\\]|\\.)*)"/g;
}
close $in;

{
    package Record;
    sub type          { 'TXT' }
    sub txtdata       { $_[0]{text} }
    sub char_str_list { $_[0]{text} }
}
no warnings 'redefine';
*Mail::DKIM::DNS::query = sub {
    my ($name) = @_;
    return exists $zone{lc $name} ? bless({text => $zone{lc $name}}, 'Record') : ();
};

open(my $file, '<:raw', $message_file) or die "$message_file: $!\n";
my $message = do { local $/; <$file> };
close $file;
$message =~ s/\r?\n/\r\n/g;

my $dkim = Mail::DKIM::Verifier->new;
$dkim->PRINT($message);
$dkim->CLOSE;
print 'dkim ', $_->algorithm, ' ', $_->result, "\n" for $dkim->signatures;
if ($message =~ /^ARC-Seal:/mi) {
    my $arc = Mail::DKIM::ARC::Verifier->new;
    $arc->PRINT($message);
    $arc->CLOSE;
    print 'arc ', $arc->result, "\n";
}
