"""What every room uses: errors, atomic files, memo, cost, did-you-mean. It imports nothing of ours."""
