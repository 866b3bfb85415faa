// One byte further in CRC-16/IBM-3740: polynomial x^16 + x^12 + x^5 + 1, highest bit first, start value FFFF.
// The CRC of a message followed by its own CRC, high byte first, is zero.
module bitsmith_crc16 (
    input  logic [15:0] crc,
    input  logic [ 7:0] data,
    output logic [15:0] next
);
  logic [7:0] x;

  always_comb begin
    x = crc[15:8] ^ data;
    x = x ^ {4'd0, x[7:4]};
    next = {crc[7:0], 8'd0} ^ {x[3:0], 12'd0} ^ {3'd0, x, 5'd0} ^ {8'd0, x};
  end
endmodule
