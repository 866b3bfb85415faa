// Table of 2^WX entries, addressed by the bits of x as they are.
module bitsmith_table #(
    parameter int             WX    = 4,
    parameter int             WY    = 4,
    parameter logic [(1<<WX)*WY-1:0]   TABLE = '0  // entry 0 in the lowest bits
) (
    input  logic [WX-1:0] x,
    output logic [WY-1:0] y
);
  assign y = TABLE[x*WY+:WY];
endmodule
