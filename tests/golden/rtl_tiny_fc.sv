// Written by Bitsmith; project.json says by which version and from which net.
// fc = dense(x) 3x2 weights i4, 17% zero : i8[2]
// Combinational.
module tiny_fc (
    input  logic [11:0] x,  // 3 x signed 4 bits, element 0 in the lowest bits
    output logic [15:0] y  // 2 x signed 8 bits, element 0 in the lowest bits
);
  // stage 0
  wire signed [3:0] x0 = x[0+:4];
  wire signed [3:0] x1 = x[4+:4];
  wire signed [3:0] x2 = x[8+:4];
  wire signed [7:0] n3 = 8'(x0) + (8'(x2) << 3);
  wire signed [6:0] n4 = 7'(n3) - 7'(x2);
  wire signed [4:0] n5 = 5'(x0) + 5'(x1);
  wire signed [5:0] n6 = (6'(x1) << 1) + 6'(x2);
  wire signed [5:0] n7 = 6'(n5) - (6'(x0) << 2);
  wire signed [7:0] n8 = (8'(n6) << 1) + 8'(n7);

  assign y[0+:8] = 8'(n4);
  assign y[8+:8] = n8;

  logic unused_bits;  // some bits of these are read by nobody
  assign unused_bits = ^{x, n3};
endmodule
